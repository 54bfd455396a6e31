"""Makes the generated parts of datastorage.client; see ../generate.py."""
