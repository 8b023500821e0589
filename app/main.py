"""One visitor, one shell: ``panel serve app`` runs this file for each."""

from app.shell import open_page

open_page().servable()
