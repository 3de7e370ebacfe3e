"""Errors that a user can mend: each says what is wrong, where, what was got and what to do.

The command line prints such an error as one line on stderr and ends with its ``exit_code``;
``--debug`` adds the traceback. Any other exception is a bug in the app.
"""


class LdaAppError(Exception):
    """Base of all errors that the app raises on purpose; the run cannot go on."""

    exit_code = 1


class NumericalError(LdaAppError):
    """A loss or a parameter is NaN or infinite; the last good weights were kept."""


class ProcessGroupError(LdaAppError):
    """Of several processes that train together one has ended, does not answer, or differs from the others."""


class ConfigError(LdaAppError):
    """An option, an environment variable or the configuration file has a value that cannot be used."""

    exit_code = 2


class CorpusError(LdaAppError):
    """The input data cannot be read, or nothing is left of it."""

    exit_code = 3


class FolderError(LdaAppError):
    """A corpus or model folder is missing, incomplete, changed, or of another version."""

    exit_code = 4


class FileSystemError(LdaAppError):
    """A file cannot be written: disk full, no permission, or the folder is in use by another process."""

    exit_code = 5


class Interrupted(LdaAppError):  # noqa: N818 - it is no fault
    """A signal ended the run early, after its state was saved.

    Parameters
    ----------
    message
        What was saved and how to go on.
    signum
        The signal; the exit code is 128 more, as shells report it: 130 for SIGINT, 143 for SIGTERM.
    """

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signum
