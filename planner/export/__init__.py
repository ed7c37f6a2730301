"""The page that gets signed and the files that get audited."""
