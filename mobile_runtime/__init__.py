"""The runtime for phones, by language; edgesr carries the Java sources, to check programs with them."""
