"""Saved views: a name, a note and a link, kept for the group in a database."""
