"""The closed lists of what is kept of an editor's event: languages, tools, providers. Pure.

Whatever is not in them is not stored, so neither a path nor a name of somebody's own tool is.
"""

import re
from typing import Final

_EXTENSIONS: Final = {
    "ada": "adb ads",
    "assembly": "asm s",
    "c": "c",
    "c++": "cc cpp cxx c++ hh hpp hxx h++ ipp",
    "c/c++ header": "h",
    "c#": "cs csx",
    "clojure": "clj cljc cljs edn",
    "cmake": "cmake",
    "cobol": "cbl cob cpy",
    "crystal": "cr",
    "css": "css",
    "csv": "csv tsv",
    "cuda": "cu cuh",
    "d": "d",
    "dart": "dart",
    "delphi": "dpr pas pp",
    "diff": "diff patch",
    "docker": "dockerfile containerfile",
    "elixir": "ex exs",
    "elm": "elm",
    "erlang": "erl hrl",
    "f#": "fs fsi fsx",
    "fortran": "f f77 f90 f95 for",
    "gleam": "gleam",
    "go": "go",
    "graphql": "gql graphql",
    "groovy": "gradle groovy gvy",
    "haskell": "hs lhs",
    "hcl": "hcl tf tfvars",
    "html": "htm html xhtml",
    "ini": "cfg conf ini properties",
    "java": "java",
    "javascript": "cjs js mjs",
    "javascript react": "jsx",
    "json": "json json5 jsonc jsonl",
    "julia": "jl",
    "jupyter": "ipynb",
    "kotlin": "kt kts",
    "latex": "bib cls sty tex",
    "less": "less",
    "lisp": "cl el lisp rkt scm",
    "lua": "lua",
    "makefile": "makefile mk",
    "markdown": "markdown md mdx",
    "matlab": "m",
    "nim": "nim nims",
    "nix": "nix",
    "objective-c": "mm",
    "ocaml": "ml mli",
    "perl": "pl pm",
    "php": "php phtml",
    "plain text": "text txt",
    "powershell": "ps1 psd1 psm1",
    "prisma": "prisma",
    "prolog": "pro",
    "protobuf": "proto",
    "python": "py pyi pyw pyx",
    "r": "r rmd",
    "rst": "rst",
    "ruby": "erb gemspec rake rb",
    "rust": "rs",
    "sass": "sass scss",
    "scala": "sbt sc scala",
    "shell": "bash fish ksh sh zsh",
    "solidity": "sol",
    "sql": "ddl dml sql",
    "svelte": "svelte",
    "swift": "swift",
    "toml": "toml",
    "typescript": "cts mts ts",
    "typescript react": "tsx",
    "verilog": "sv svh v",
    "vhdl": "vhd vhdl",
    "visual basic": "bas vb vbs",
    "vue": "vue",
    "xml": "csproj svg xml xsd xsl",
    "yaml": "yaml yml",
    "zig": "zig",
}
_BY_EXTENSION: Final = {
    extension: language
    for language, extensions in _EXTENSIONS.items()
    for extension in extensions.split()
}
# What editors call a language where that differs from our name for it.
_BY_NAME: Final = {name: name for name in _EXTENSIONS} | {
    "cpp": "c++",
    "csharp": "c#",
    "dockerfile": "docker",
    "fsharp": "f#",
    "javascriptreact": "javascript react",
    "plaintext": "plain text",
    "shellscript": "shell",
    "typescriptreact": "typescript react",
}
OTHER: Final = "other"
_LAST_PART: Final = re.compile(r"[^/\\]*$")

# The tools that Continue brings along; those of its command line are spelled in capitals.
_TOOLS: Final = frozenset(
    [
        "read_file",
        "read_file_range",
        "read_currently_open_file",
        "edit_existing_file",
        "single_find_and_replace",
        "multi_edit",
        "create_new_file",
        "run_terminal_command",
        "grep_search",
        "file_glob_search",
        "search_web",
        "view_diff",
        "view_repo_map",
        "view_subdirectory",
        "ls",
        "create_rule_block",
        "request_rule",
        "fetch_url_content",
        "codebase",
        "read_skill",
        "Read",
        "Write",
        "Edit",
        "MultiEdit",
        "Bash",
        "List",
        "Search",
        "Fetch",
        "Diff",
        "Checklist",
    ]
)

# Providers of Continue whose models run where the editor runs, unless somebody pointed them away.
_LOCAL: Final = frozenset(
    [
        "ollama",
        "lmstudio",
        "localai",
        "llama.cpp",
        "llamacpp",
        "llama-cpp",
        "llamafile",
        "docker",
        "jan",
        "lemonade",
        "msty",
        "text-gen-webui",
        "transformers.js",
    ]
)
# A model's name at such a provider: never a sentence, never a line of code.
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}")


def language_of(path: str, name: str = "") -> str:
    """Return the language of a file by what the editor calls it, else by the path's ending.

    Empty for no file at all, OTHER for one of a language that is not in the list.
    """
    if known := _BY_NAME.get(name.lower()):
        return known
    last = _LAST_PART.search(path)
    # Cells of a notebook are told apart behind a #.
    file = last[0].partition("#")[0].lower() if last else ""
    if not file:
        return ""
    return _BY_EXTENSION.get(file.rpartition(".")[2], OTHER)


def tool_of(name: str) -> str:
    """Return one of Continue's own tools; OTHER for one of the developer's, whose name may tell."""
    bare = name.removeprefix("builtin_")
    return bare if bare in _TOOLS else OTHER if bare else ""


def is_local(provider: str) -> bool:
    """Tell whether a provider's models run on the developer's own machine."""
    return provider.lower() in _LOCAL


def model_name(text: str) -> str:
    """Return a model's name as it may be stored; empty for a text that is none."""
    return text if _MODEL.fullmatch(text) else ""
