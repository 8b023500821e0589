"""Log lines without personal data: no addresses, no names, no links; as words or as JSON objects."""

import json
import logging
import re
import time

from app.settings import Settings

# "200 GET /app?galaxy_id=5 (192.0.2.7) 12.3ms" and addresses elsewhere
_ADDRESS = re.compile(r"\((?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]+|unknown)\)\s?")
_QUERY = re.compile(r"\?[^\s'\"]*")
_SIGNED = re.compile(r"(/tables/)[^/\s]+")
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(settings: Settings) -> None:
    """Give every handler of the root logger our formatter."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    formatter = JsonLines() if settings.log == "json" else PlainLines(TEXT)
    for handler in root.handlers:
        handler.setFormatter(formatter)
    logging.getLogger("app").setLevel(logging.INFO)


def without_personal_data(message: str) -> str:
    """A message without visitors' addresses and what they asked for."""
    return _SIGNED.sub(r"\1...", _QUERY.sub("?...", _ADDRESS.sub("", message)))


class PlainLines(logging.Formatter):
    """One line of words."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = without_personal_data(record.message)
        return super().formatMessage(record)


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, where, message, and the number and traceback of an error."""

    converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        words = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname.lower(),
            "where": record.name,
            "message": without_personal_data(record.getMessage()),
        }
        if hasattr(record, "error_id"):
            words["error_id"] = record.error_id
        if record.exc_info:
            words["traceback"] = self.formatException(record.exc_info)
        return json.dumps(words, ensure_ascii=False)
