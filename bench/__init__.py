"""Measures Switchboard beside a plain Streamlit chat, on the same provider, in one run: `python -m bench`."""
