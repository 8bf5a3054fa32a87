"""What a file is, is seen from its content; what cannot be read is refused with a reason."""

import zipfile
from datetime import datetime

import pytest

from core.imports import files
from core.imports.files import FileProblem, open_table

ROWS = "code,name\nP1,Pump\nP2,Söder's pump\n"


def cells(table):
    return [(line.number, line.cells) for line in table.rows()]


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter"),
    [
        (ROWS.encode(), "utf-8", ","),
        (ROWS.encode("utf-8-sig"), "utf-8-sig", ","),
        (ROWS.encode("cp1252"), "cp1252", ","),
        (ROWS.encode("utf-16"), "utf-16", ","),
        (ROWS.replace(",", ";").encode(), "utf-8", ";"),
        (ROWS.replace(",", "\t").encode(), "utf-8", "\t"),
        (ROWS.replace("\n", "\r\n").encode(), "utf-8", ","),
    ],
)
def test_encoding_and_delimiter_are_detected_and_shown(make_file, content, encoding, delimiter):
    table = open_table(make_file(content))
    assert table.facts == {"sort": "csv", "encoding": encoding, "delimiter": delimiter}
    assert table.header == ["code", "name"]
    assert cells(table) == [(2, ["P1", "Pump"]), (3, ["P2", "Söder's pump"])]


def test_a_comma_inside_quotes_is_no_delimiter(make_file):
    table = open_table(make_file('a;b\n"1,5,6,7";x\n"2,5,6,7";y\n'))
    assert table.delimiter == ";"


def test_a_quoted_cell_may_span_lines_and_line_numbers_stay_those_of_the_file(make_file):
    table = open_table(make_file('code,note\nA,"one\ntwo"\nB,three\n'))
    assert cells(table) == [(2, ["A", "one\ntwo"]), (4, ["B", "three"])]


def test_blank_lines_are_passed_over_and_keep_their_numbers(make_file):
    table = open_table(make_file("\n\ncode,name\n,\nA,x\n\n"))
    assert (table.header_line, cells(table)) == (3, [(5, ["A", "x"])])


def test_xlsx_cells_keep_their_type(make_file):
    day = datetime(2026, 3, 4, 5, 6)  # noqa: DTZ001 - a workbook knows no zones
    table = open_table(make_file([["code", "when", "n"], ["A", day, 7.0], ["B", None, 1.5]], "t.xlsx"))
    assert table.facts == {"sort": "xlsx", "sheet": "Sheet"}
    assert cells(table) == [(2, ["A", day, 7]), (3, ["B", None, 1.5])]


def test_repeated_and_missing_column_names_get_a_number(make_file):
    assert open_table(make_file("a,a,,b\n1,2,3,4\n")).header == ["a", "a (2)", "Column 3", "b"]


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", b"0" * 3_000_000)


def locked(path):
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"%PDF-1.7 ...", "wrong_sort"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "wrong_sort"),
        (b"\x89PNG\r\n", "wrong_sort"),
        (b"a,b\n\0\0\0", "wrong_sort"),
        (b"<html><table></table></html>", "wrong_sort"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"1,2,3\n4,5,6\n", "no_header"),
        (b"2026-01-01,17.5\n2026-01-02,18\n", "no_header"),
        (b"name,x\n\x81\x8d,1\n", "encoding"),
        (("a," * 400 + "\n1").encode(), "too_many_columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_reason(make_file, content, code):
    with pytest.raises(FileProblem) as problem:
        open_table(make_file(content))
    assert problem.value.code == code
    assert problem.value.field == "file"


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileProblem, match="no XLSX"):
        open_table(path)


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_UNPACKED_BYTES", 1_000_000)
    path = tmp_path / "bomb.xlsx"
    bomb(path)
    with pytest.raises(FileProblem) as problem:
        open_table(path)
    assert problem.value.code == "zip_bomb"


def test_a_file_that_is_too_large_is_refused(make_file, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    with pytest.raises(FileProblem) as problem:
        open_table(make_file(ROWS))
    assert problem.value.code == "too_large"


def test_a_quotation_mark_that_is_never_closed_is_named_with_its_line(make_file):
    table = open_table(make_file('code,name\nA,x\nB,"never closed\nC,y\n'))
    with pytest.raises(FileProblem, match="Line 3"):
        list(table.rows())


def test_the_wrong_encoding_named_by_a_person_is_refused(make_file):
    with pytest.raises(FileProblem) as problem:
        open_table(make_file(ROWS.encode("cp1252")), encoding="utf-8")
    assert problem.value.code == "encoding"


def test_a_sheet_that_is_not_there_is_refused(make_file):
    with pytest.raises(FileProblem, match="Other"):
        open_table(make_file([["a", "b"], ["x", "y"]], "t.xlsx"), sheet="Other")
