# SPDX-License-Identifier: Apache-2.0
"""One page to look at: a file that needs no network, no script and no other file.

Every text that comes from outside is escaped by `markup`, and the page's own policy forbids
whatever it might load or run. The same input makes the same page, to the byte.
"""

from __future__ import annotations

from .model import Page, UpdateRecord
from .page import combine, render, render_error, render_page

__all__ = ["Page", "UpdateRecord", "combine", "render", "render_error", "render_page"]
