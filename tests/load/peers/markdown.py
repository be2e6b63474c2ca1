"""What documents are written in."""


def table(titles, rows, text="l"):
    """`text` says how the first columns are aligned; numbers follow."""
    aligned = text.ljust(len(titles), "r")
    rules = ["---:" if side == "r" else "---" for side in aligned]
    return "\n".join("| " + " | ".join(line) + " |"
                     for line in [titles, rules, *rows])
