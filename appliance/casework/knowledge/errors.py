"""Why something cannot be done with an article."""


class ArticleError(ValueError):
    """It cannot be done; `code` names why.

    Codes: title, languages, section, topic, owner, day, file, kind, macro, bomb, many, and those
    of versions.VersionError.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
