"""Text in the cells of a CSV file, which spreadsheets take for formulas."""

from __future__ import annotations


def spreadsheet_safe(cell: str) -> str:
    """Return a cell of a CSV file so that no spreadsheet runs it as a formula; numbers stay as they are.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("-3.5"), spreadsheet_safe("orbit")
    ("'=1+1", '-3.5', 'orbit')
    """
    if not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
