"""What is asked for and what is really served."""
