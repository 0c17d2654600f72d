"""The error for a refused change of an article."""


class ArticleError(ValueError):
    """A change of an article is refused; `code` is the reason.

    Codes: title, languages, section, topic, owner, day, file, kind, macro, bomb, many, and those of
    versions.VersionError.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
