"""Names for people whose own name is nobody's business: two words and three digits."""

import secrets
from typing import Final

QUALITIES: Final = """
amber brave calm clever coral crisp curious dapper eager early fair gentle golden green happy honest
jolly keen kind light lively lucky mellow merry mild modest noble patient plain proud quick quiet
rapid ready rosy sage sharp silver smooth snowy solid spry steady still sunny swift tidy warm wise
witty
"""
CREATURES: Final = """
auk badger beaver bison crane curlew deer dingo dove eagle egret falcon ferret finch fox gecko goose
grouse hare hawk heron ibis jackal jay kestrel kite koala lark linnet lynx marten merlin moose newt
otter owl panda plover puffin quail raven robin seal shrew sparrow stork swan tern toad vole wren
"""
_FIRST: Final = QUALITIES.split()
_SECOND: Final = CREATURES.split()


def new_pseudonym() -> str:
    """Return a random name such as quiet-otter-427, out of about 2.3 million."""
    number = 100 + secrets.randbelow(900)
    return f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}-{number}"
