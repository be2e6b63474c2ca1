"""What each part of the comparison ends with."""

import json


def write(rows, out):
    """Writes `rows` and tells them; the exit status, 1 if one is beyond its limit."""
    out.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        print(f"{row['row']}, {row['compared']}: {row['cases']} cases, worst "
              f"{row['worst']:.3g}, limit {row['limit']:.3g}")
    return int(any(not row["worst"] <= row["limit"] for row in rows))
