"""Making an Android app out of Java sources and programs, with Debian's tools alone."""
