"""The tools, one file each (core/tools/README.md)."""
