"""`python -m pos_discount.cli`: the command where its script is not on the path."""

from pos_discount.cli import main

if __name__ == "__main__":
    main(prog_name="pos-discount")
