"""Line icons on a 16 by 16 grid, drawn for this project: name -> the inside of an `<svg>`."""

from __future__ import annotations

ICONS: dict[str, str] = {
    "home": '<path d="M2.5 7.2 8 2.8l5.5 4.4v6H10V9.5H6v3.7H2.5z"/>',
    "queue": '<path d="M2.5 4h11M2.5 8h11M2.5 12h6"/><path d="m11 11.8 1.2 1.2 2-2.4"/>',
    "clock": '<circle cx="8" cy="8" r="5.75"/><path d="M8 4.8V8l2.2 1.6"/>',
    "target": '<circle cx="8" cy="8" r="5.75"/><circle cx="8" cy="8" r="2.4"/>',
    "traces": '<path d="M1.8 8.5h2.6l2-5 3.2 9 2-4h2.6"/>',
    "prompt": '<path d="M3 3h10v8.2H7L4.2 13.4v-2.2H3z"/><path d="M5.6 6h4.8M5.6 8.3h3"/>',
    "release": '<circle cx="4" cy="3.8" r="1.5"/><circle cx="4" cy="12.2" r="1.5"/>'
    '<circle cx="12" cy="6" r="1.5"/><path d="M4 5.3v5.4M12 7.5c0 2.6-3.4 2.4-6.6 4"/>',
    "evidence": '<path d="M3.5 2.5h6l3 3v8h-9z"/><path d="M9.5 2.5v3h3M5.6 10l1.5 1.4 3-3.4"/>',
    "search": '<circle cx="7" cy="7" r="4.2"/><path d="m10.2 10.2 3.3 3.3"/>',
    "check": '<path d="m3 8.4 3.2 3.2L13 4.8"/>',
    "cross": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "alert": '<path d="M8 2.4 14.2 13H1.8z"/><path d="M8 6.4v3M8 11.2v.1"/>',
    "info": '<circle cx="8" cy="8" r="5.75"/><path d="M8 7.4v3.4M8 5.2v.1"/>',
    "right": '<path d="m6 3.5 4.5 4.5L6 12.5"/>',
    "left": '<path d="M10 3.5 5.5 8l4.5 4.5"/>',
    "down": '<path d="m3.5 6 4.5 4.5L12.5 6"/>',
    "updown": '<path d="m5 6.2 3-3 3 3M5 9.8l3 3 3-3"/>',
    "arrow-right": '<path d="M2.5 8h11M9.5 4l4 4-4 4"/>',
    "arrow-up": '<path d="M8 13V3.2M4.2 7 8 3.2 11.8 7"/>',
    "arrow-down": '<path d="M8 3v9.8M4.2 9 8 12.8 11.8 9"/>',
    "minus": '<path d="M3.5 8h9"/>',
    "plus": '<path d="M8 3.2v9.6M3.2 8h9.6"/>',
    "sun": '<circle cx="8" cy="8" r="2.6"/><path d="M8 1.6v1.6M8 12.8v1.6M1.6 8h1.6M12.8 8h1.6'
    'M3.5 3.5l1.1 1.1M11.4 11.4l1.1 1.1M12.5 3.5l-1.1 1.1M4.6 11.4l-1.1 1.1"/>',
    "moon": '<path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z"/>',
    "screen": '<path d="M2 3h12v8H2zM5.5 13.4h5M8 11v2.4"/>',
    "menu": '<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>',
    "person": '<circle cx="8" cy="5.4" r="2.6"/>'
    '<path d="M2.8 13.4c.6-2.6 2.6-4 5.2-4s4.6 1.4 5.2 4"/>',
    "people": '<circle cx="6" cy="5.6" r="2.3"/>'
    '<path d="M1.6 13c.5-2.4 2.2-3.6 4.4-3.6s3.9 1.2 4.4 3.6'
    'M10.4 3.5a2.3 2.3 0 0 1 0 4.2M12 9.8c1.3.5 2.1 1.6 2.4 3.2"/>',
    "leave": '<path d="M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3"/>',
    "keyboard": '<path d="M1.8 4h12.4v8H1.8z'
    'M4.2 6.6v.1M6.7 6.6v.1M9.3 6.6v.1M11.8 6.6v.1M5 9.6h6"/>',
    "copy": '<path d="M5.5 5.5h8v8h-8zM3.8 10.5H2.5v-8h8v1.3"/>',
    "open": '<path d="M9 2.5h4.5V7M13.5 2.5 7.5 8.5M11.5 9v4.5h-9v-9H7"/>',
    "filter": '<path d="M2.2 3h11.6L9.4 8.2v4.3l-2.8 1V8.2z"/>',
    "lock": '<path d="M3.5 7.2h9v6.3h-9zM5.3 7.2V5a2.7 2.7 0 0 1 5.4 0v2.2"/>',
    "shield": '<path d="M8 1.9 13 3.6v4c0 3.2-2 5.4-5 6.5-3-1.1-5-3.3-5-6.500v-4z"/>',
    "blind": '<path d="M2.4 2.4l11.2 11.2M6.4 4.100A6.6 6.6 0 0 1 14 8a8.6 8.6 0 0 1-1.7 2.3'
    'M4.3 4.900A8.3 8.3 0 0 0 2 8a6.7 6.7 0 0 0 8 3.6"/>',
    "loop": '<path d="M13.4 6.700A5.6 5.6 0 0 0 3.3 5M2.6 9.300A5.6 5.6 0 0 0 12.7 11"/>'
    '<path d="M3 2.300V5.200h2.900M13 13.700v-2.900h-2.9"/>',
    "flag": '<path d="M3.5 14V2.500h8.700L10.3 5.500l1.9 3H3.5"/>',
    "document": '<path d="M3.5 2.500h6l3 3v8h-9zM9.5 2.500v3h3M5.6 8.500h4.800M5.6 11h3.2"/>',
    "tool": '<path d="M9.8 6.200a3.3 3.3 0 0 1 4-4L12 4l.3 1.700L14 6l-.1.1a3.3 3.3 0 0 1-4 .2'
    'L5 13.200a1.5 1.5 0 0 1-2.2-2.200z" transform="translate(-.4 .6)"/>',
    "model": '<path d="M3.5 5h9v8h-9zM8 5V2.600M6 8.300v1M10 8.300v1M1.8 8v2.500M14.2 8v2.5"/>',
    "undo": '<path d="M3 6.500h6.500a3.5 3.5 0 0 1 0 7H6M5.8 3.500l-3 3 3 3"/>',
    "gauge": '<path d="M2.5 12a6 6 0 1 1 11 0M8 10l2.6-3.6"/>',
    "branch": '<circle cx="4.5" cy="3.5" r="1.5"/><circle cx="4.5" cy="12.5" r="1.5"/>'
    '<circle cx="11.5" cy="5.5" r="1.5"/><path d="M4.5 5v6M11.5 7c0 2-7 1.5-7 4"/>',
    "settings": '<path d="M2.5 4.500h6M11.5 4.500h2M2.5 11.500h2M7.5 11.500h6"/>'
    '<circle cx="10" cy="4.5" r="1.5"/><circle cx="6" cy="11.5" r="1.5"/>',
    "key": '<circle cx="5.2" cy="10.8" r="2.7"/><path d="M7.2 8.8 13.5 2.500M11 5l2 2"/>',
    "spark": '<path d="M8 2v4M8 10v4M2 8h4M10 8h4"/>',
    "arrive": '<path d="M2 8h7.500M6.5 5l3 3-3 3M11 2.500h2.500v11H11"/>',
}


def drawing(name: str) -> str:
    """The markup inside the icon's `<svg>`; an unknown name raises and lists the known ones."""
    try:
        return ICONS[name]
    except KeyError:
        raise ValueError(f"no icon {name!r}; there are: {', '.join(sorted(ICONS))}") from None
