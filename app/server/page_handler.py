"""The page itself: at one address, with headers that browsers obey."""

from panel.io.server import DocHandler

# Bokeh compiles models in the browser (unsafe-eval) and starts pages by a script in them (unsafe-inline); all else
# comes from this server
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}


class PageHandler(DocHandler):
    """Bokeh's page of an app, at /app and not at /app/, from where its scripts would not be found."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    async def get(self, *words: str, **more: str) -> None:
        if self.request.path.endswith("/app/"):
            query = f"?{self.request.query}" if self.request.query else ""
            self.redirect(f"../app{query}", permanent=False)
            return
        await super().get(*words, **more)
