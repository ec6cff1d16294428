"""Everything that imports streamlit except app.py, server.py and the pages."""
