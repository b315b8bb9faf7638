# SPDX-License-Identifier: Apache-2.0
"""The source distribution of smpclient 7.3.0: real signed firmware and real SMP servers."""

from __future__ import annotations

from pathlib import Path

from source_archives import source_archive

VERSION = "7.3.0"
SHA256 = "86aa4bc1c621805d97f449793a4077f049aa88a98a1e916bf59423d072bd2a3b"


def smpclient_sdist() -> Path:
    """Return the unpacked folder (`examples/`, `tests/fixtures/` …), or skip the test."""
    return source_archive("smpclient", VERSION, SHA256)
