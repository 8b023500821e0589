"""The server around the page: who may come in, what it answers besides the page, how it starts and ends."""
