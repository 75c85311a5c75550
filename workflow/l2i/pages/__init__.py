"""Pages that open by a double click: one file each, with everything in it; templates beside."""
