import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.feedback.ide_words import is_local, language_of, model_name, tool_of
from apps.feedback.models import IdeEvent


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("/a/b/Foo.TS", "typescript"),
        ("file:///c%3A/x/y.py", "python"),
        ("C:\\x\\Main.java", "java"),
        ("/home/C#/x/a.cs", "c#"),
        ("vscode-notebook-cell:/x/a.ipynb#W0sZ", "jupyter"),
        ("Dockerfile", "docker"),
        ("src/Makefile", "makefile"),
        ("a/b.secret-suffix", "other"),
        ("a/no_suffix", "other"),
        ("a/", ""),
        ("", ""),
    ],
)
def test_a_language_is_told_by_the_file_that_is_not_kept(path, language):
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("name", "language"),
    [("typescriptreact", "typescript react"), ("Python", "python"), ("Klingon", "go")],
)
def test_the_editors_word_for_a_language_comes_first(name, language):
    assert language_of("a.go", name) == language


@given(st.text(), st.text())
def test_languages_and_tools_are_of_closed_lists(path, name):
    language, tool = language_of(path, name), tool_of(name)

    assert language in {"", "other"} or language not in (path, "/x") or len(language) <= 20
    assert len(language) <= IdeEvent._meta.get_field("language").max_length
    assert tool in ("", "other") or name.endswith(tool)


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("read_file", "read_file"),
        ("builtin_run_terminal_command", "run_terminal_command"),
        ("acme_payroll_lookup", "other"),
        ("", ""),
    ],
)
def test_a_developers_own_tool_keeps_its_name_to_itself(name, tool):
    assert tool_of(name) == tool


@pytest.mark.parametrize(
    ("provider", "local"),
    [("ollama", True), ("LMStudio", True), ("llama.cpp", True), ("openai", False), ("", False)],
)
def test_some_providers_run_where_the_editor_runs(provider, local):
    assert is_local(provider) is local


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("qwen2.5-coder:7b", "qwen2.5-coder:7b"),
        ("hf.co/Qwen/x-GGUF:Q4_K_M", "hf.co/Qwen/x-GGUF:Q4_K_M"),
        ("def f(): pass", ""),
        ("x" * 101, ""),
        ("", ""),
    ],
)
def test_a_models_name_is_no_sentence(text, name):
    assert model_name(text) == name
