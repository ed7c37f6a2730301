"""Cash, the bridge and stranded megawatts."""
