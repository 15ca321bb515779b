"""`semafuzz report`: pages, pictures and files for other tools."""
