"""Moments, as people read them."""

from datetime import UTC, datetime


def show_time(seconds: int) -> str:
    """Unix seconds as date and time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
