"""What `conversion` and `checking` are made of: pictures and tiles, programs, evidence."""
