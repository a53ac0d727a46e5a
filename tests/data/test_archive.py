"""Archives: members as they were packed, and nothing of what archives can do besides holding files."""

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from deepwright.core.errors import DataError
from deepwright.data.archive import gunzipped, is_archive, is_junk, open_archive

FILES = {"a/one.csv": b"x,y\n1,2\n", "a/two.csv": b"", "b.csv": bytes(range(256)) * 9}


def zipped(path: Path, files: dict[str, bytes] | list[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    entries = files.items() if isinstance(files, dict) else files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], *special: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in special:
            archive.addfile(info)
    return path


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught, open_archive(path):
        pass
    return str(caught.value)


@pytest.mark.parametrize("name", ["t.zip", "t.tar", "t.tar.gz"])
def test_members_come_out_as_they_went_in(tmp_path, name):
    path = tmp_path / name
    zipped(path, FILES) if name == "t.zip" else tarred(path, FILES, mode="w:gz" if "gz" in name else "w")
    assert is_archive(path)
    with open_archive(path) as archive:
        assert archive.names == tuple(FILES)
        assert [member.size for member in archive.members] == [len(data) for data in FILES.values()]
        assert {name: archive.read(name) for name in reversed(archive.names)} == FILES
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_gzipped_table_is_no_archive(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 500))
    (tmp_path / "t.csv").write_bytes(b"PK,b\n1,2\n")
    assert not is_archive(tmp_path / "t.csv.gz")
    assert not is_archive(tmp_path / "t.csv")


def test_a_folder_packed_from_within_has_its_names_without_the_dot(tmp_path):
    folder = tarfile.TarInfo("./")
    folder.type = tarfile.DIRTYPE
    path = tarred(tmp_path / "t.tar", {"./a.csv": b"1"}, folder)
    with open_archive(path) as archive:
        assert archive.names == ("./a.csv",)


@pytest.mark.parametrize("name", ["../x.csv", "a/../../x", "/etc/x", "C:/x", "a\\..\\x", "a//x", "a\nx", "a/./x"])
def test_a_name_that_could_leave_is_refused_in_both_kinds(tmp_path, name):
    assert repr(name) in refused(zipped(tmp_path / "t.zip", {name: b"1"}))
    assert repr(name) in refused(tarred(tmp_path / "t.tar", {name: b"1"}))


def test_a_name_that_goes_on_after_a_nul_is_refused(tmp_path):
    path = zipped(tmp_path / "t.zip", {"a.csvQ.exe": b"1"})
    path.write_bytes(path.read_bytes().replace(b"a.csvQ.exe", b"a.csv\0.exe"))
    assert r"'a.csv\x00.exe'" in refused(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a.csv", "A.CSV", "./a.csv"])
def test_two_members_of_one_name_are_refused(tmp_path, second):
    assert "have one name" in refused(zipped(tmp_path / "t.zip", [("a.csv", b"1"), (second, b"2")]))
    once = tarfile.TarInfo(second)
    assert "have one name" in refused(tarred(tmp_path / "t.tar", {"a.csv": b""}, once))


def test_names_of_two_unicode_forms_are_one_name(tmp_path):
    assert "have one name" in refused(zipped(tmp_path / "t.zip", {"caf\u00e9": b"1", "cafe\u0301": b"2"}))


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600, stat.S_IFCHR | 0o600])
def test_a_zip_with_a_link_or_a_device_is_refused(tmp_path, mode):
    assert "is a link, a device" in refused(zipped(tmp_path / "t.zip", [(entry("x", mode), b"/etc/passwd")]))


@pytest.mark.parametrize("type_", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_tar_with_a_link_or_a_device_is_refused(tmp_path, type_):
    info = tarfile.TarInfo("x")
    info.type, info.linkname = type_, "../../etc/passwd"
    assert "is a link, a device" in refused(tarred(tmp_path / "t.tar", {}, info))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, kind):
    zeros = bytes(70 << 20)
    path = tmp_path / f"t.{kind}"
    zipped(path, {"a.csv": zeros}) if kind == "zip" else tarred(path, {"a.csv": zeros}, mode="w:gz")
    assert path.stat().st_size < 100_000
    assert "as no honest archive does" in refused(path)


def test_members_that_share_their_packed_bytes_are_refused(tmp_path):
    path = zipped(tmp_path / "t.zip", {"a": b"x" * 500, "b": b"y" * 500})
    data = path.read_bytes()
    at = data.rindex(b"PK\x01\x02") + 20  # the packed size in the last entry of the directory
    path.write_bytes(data[:at] + (10_000).to_bytes(4, "little") + data[at + 4 :])
    assert "more packed bytes" in refused(path)


def test_a_tar_that_claims_more_than_it_holds_is_refused(tmp_path):
    path = tarred(tmp_path / "t.tar", {"a": b"1" * 600})
    path.write_bytes(path.read_bytes()[:1024])
    assert "unexpected end of data" in refused(path)


def test_a_broken_header_in_the_midst_of_a_tar_does_not_lose_the_rest(tmp_path):
    path = tarred(tmp_path / "t.tar", {"a": b"1", "b": b"2", "c": b"3"})
    data = bytearray(path.read_bytes())
    data[1024 + 148] ^= 1  # the checksum of the second header
    path.write_bytes(data)
    assert "breaks off at byte 1024" in refused(path)


def test_two_tars_behind_each_other_are_refused(tmp_path):
    path = tarred(tmp_path / "t.tar", {"a": b"1"})
    path.write_bytes(path.read_bytes() * 2)
    assert "breaks off at byte 1024" in refused(path)


def test_a_header_too_long_for_memory_is_refused(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    path = tmp_path / "t.tar"
    path.write_bytes(info.tobuf() + bytes(10240))
    assert f"a header of {1 << 30} bytes" in refused(path)


def test_an_encrypted_or_oddly_packed_member_is_refused(tmp_path):
    path = zipped(tmp_path / "t.zip", {"a": b"1"})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "is encrypted" in refused(path)
    with zipfile.ZipFile(tmp_path / "u.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"1")
    assert "zip method 14" in refused(tmp_path / "u.zip")


def test_a_flipped_byte_is_told_with_the_member_it_is_in(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"12345678")
    path.write_bytes(path.read_bytes().replace(b"12345678", b"12345679"))
    with open_archive(path) as archive, pytest.raises(DataError, match="member 'a' is broken: Bad CRC-32"):
        archive.read("a")


def test_a_cut_archive_is_told_as_broken(tmp_path):
    path = zipped(tmp_path / "t.zip", FILES)
    path.write_bytes(path.read_bytes()[:-30])
    assert "broken: File is not a zip file" in refused(path)
    path = tarred(tmp_path / "t.tar.gz", FILES, mode="w:gz")
    path.write_bytes(path.read_bytes()[:-9])
    assert "broken" in refused(path)


def test_more_members_than_allowed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("deepwright.data.archive.MAX_MEMBERS", 2)
    assert "more than 2 members" in refused(zipped(tmp_path / "t.zip", FILES))
    assert "more than 2 members" in refused(tarred(tmp_path / "t.tar", FILES))


def test_a_member_that_is_not_there_is_told_with_a_near_name(tmp_path):
    path = zipped(tmp_path / "t.zip", FILES)
    with open_archive(path) as archive, pytest.raises(DataError, match=r"no member 'b\.cvs'.*b\.csv"):
        archive.read("b.cvs")


def test_what_systems_leave_behind_is_known():
    assert [is_junk(n) for n in ("a/.DS_Store", "__MACOSX/a/._x.jpg", "x/Thumbs.db", "a/x.jpg")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_a_gzipped_member_is_unpacked_within_bounds():
    assert gunzipped(b"plain", "t") == b"plain"
    assert gunzipped(gzip.compress(b"a,b\n"), "t") == b"a,b\n"
    with pytest.raises(DataError, match=r"t\.gz: .* as no honest table does"):
        gunzipped(gzip.compress(bytes(70 << 20)), "t.gz")
    with pytest.raises(DataError, match=r"t\.gz is gzip, but broken"):
        gunzipped(gzip.compress(b"a,b\n")[:-4], "t.gz")
