"""``lda-app serve``: the report from a local server, for large corpora."""

import signal
import threading
from typing import Annotated

import typer

from lda_app.cli.options import RunFolder
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run
from lda_app.errors import ConfigError, Interrupted

Port = Annotated[
    int,
    typer.Option(
        "--port",
        min=0,
        max=65535,
        metavar="N",
        help="Local port to listen on.",
        show_default="any free port",
    ),
]
Open = Annotated[bool, typer.Option("--open", help="Open the report in the browser.")]


def serve(run: RunFolder, *, port: Port = 0, open_browser: Open = False, corpus: CorpusOfRun = None) -> None:
    """Serve the report locally, with all documents of a corpus of any size, and save edits to the run.

    Like [bold]report[/], but documents are read from disk when they are viewed, and names, merged and hidden
    topics are saved to the run's labels.json immediately. Only this machine can connect, using the address
    that is printed. Press Ctrl-C to stop. Requires the extra [bold]serve[/].
    """
    _require_server()
    import secrets

    from lda_app.fitted.folder import open_model
    from lda_app.report.serve.app import application, listen
    from lda_app.report.serve.app import serve as serve_app
    from lda_app.system.runtime import log

    model = open_model(run)
    token = secrets.token_urlsafe(24)
    with listen(port) as opened:
        app = application(model, corpus_of_run(model, corpus), token)
        host, own_port = opened.getsockname()
        address = f"http://{host}:{own_port}/?token={token}"
        try:
            typer.echo(address)
            log.info("Serving %s on this machine only; press Ctrl-C to stop", run)
            if open_browser:
                threading.Thread(target=_open, args=[address], daemon=True).start()
            serve_app(app, opened)
        except KeyboardInterrupt:
            raise Interrupted("Server stopped. All edits saved.", signal.SIGINT) from None


def _require_server() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise ConfigError("lda-app serve needs a web server: pip install 'lda-app[serve]'") from None


def _open(address: str) -> None:
    import webbrowser

    from lda_app.system.runtime import log

    if not webbrowser.open(address):
        log.warning("no browser found; open the address yourself")
