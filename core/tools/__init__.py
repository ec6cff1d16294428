"""Tools that models may call: safe ones, that read what the conversation holds and change nothing.

To add one, put a file into core/tools/builtin/ that ends in `TOOL = Tool(...)` (core/tools/README.md).
"""
