"""Small pose files as text: tables, JSON, TRC and DeepLabCut, with values that are odd or no poses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dkd.formats.files import load_poses
from tests.corpus.cases import Case, Use, uses
from tests.corpus.poses import KIND


def _text(name: str, content: str | bytes, n: int | None, folder: Path, **options: Any) -> Use:
    """A small file of one's own; ``n``: frames that are read, or ``None`` if it is to be refused."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return uses(lambda: load_poses(path, **options), None if n is None else lambda track: len(track) == n)


_ROWS = "frame,joint,x,y\n0,head,1.5,2\n1,head,3,4\n"
TABLES: dict[str, tuple[str | bytes, int | None, str]] = {
    "a small table": (_ROWS, 2, "right"),
    "a byte order mark": (b"\xef\xbb\xbf" + _ROWS.encode(), 2, "right"),
    "Windows' line ends": (_ROWS.replace("\n", "\r\n"), 2, "right"),
    "rows out of order": ("frame,joint,x,y\n1,head,3,4\n0,head,1,2\n", 2, "right"),
    "quotes": ('frame,joint,x,y\n0,"head",1,2\n', 1, "right"),
    "a name like a formula": ("frame,joint,x,y\n0,'=1+1,1,2\n", 1, "right"),
    "a name called NA": ("frame,joint,x,y\n0,NA,1,2\n", 1, "right"),
    "empty coordinates": ("frame,joint,x,y\n0,head,,\n1,head,1,2\n", 2, "right"),
    "one coordinate": ("frame,joint,x,y\n0,head,1,\n1,head,1,2\n", 2, "right"),
    "UTF-16": (_ROWS.encode("utf-16"), None, "refused"),
    "Latin-1": ("frame,joint,x,y\n0,tête,1,2\n".encode("latin-1"), None, "refused"),
    "semicolons": (_ROWS.replace(",", ";"), None, "refused"),
    "decimal commas": ('frame,joint,x,y\n0,head,"1,5","2,5"\n', None, "refused"),
    "only a header": ("frame,joint,x,y\n", None, "refused"),
    "no frame": ("joint,x,y\nhead,1,2\n", None, "refused"),
    "two rows of a joint": ("frame,joint,x,y\n0,head,1,2\n0,head,3,4\n", None, "refused"),
    "a column twice": ("frame,joint,x,y,x\n0,head,1,2,3\n", None, "refused"),
    "text for a number": ("frame,joint,x,y\n0,head,left,2\n", None, "refused"),
    "an infinite place": ("frame,joint,x,y\n0,head,inf,2\n", None, "refused"),
    "a complex place": ("frame,joint,x,y\n0,head,1+2j,2\n", None, "refused"),
    "frame −1": ("frame,joint,x,y\n-1,head,1,2\n", None, "refused"),
    "frame 1.5": ("frame,joint,x,y\n1.5,head,1,2\n", None, "refused"),
    "frame without a number": ("frame,joint,x,y\n,head,1,2\n", None, "refused"),
    "frame 10^30": (f"frame,joint,x,y\n{10**30},head,1,2\n", None, "refused"),
    "frame infinite": ("frame,joint,x,y\ninf,head,1,2\n", None, "refused"),
    "frame true": ("frame,joint,x,y\nTrue,head,1,2\n", None, "refused"),
    "a frame far away": (f"frame,joint,x,y\n0,head,1,2\n{10**9},head,1,2\n", 2, "right"),
    "times that go back": ("frame,time_s,joint,x,y\n0,5,head,1,2\n1,4,head,1,2\n", None, "refused"),
    "infinite times": ("frame,time_s,joint,x,y\n0,inf,head,1,2\n", None, "refused"),
    "times in text": ("frame,time_s,joint,x,y\n0,soon,head,1,2\n", None, "refused"),
    "a joint without a name": ("frame,joint,x,y\n0,,1,2\n", None, "refused"),
    "a name of control characters": ("frame,joint,x,y\n0,a\x07b,1,2\n", None, "refused"),
    "rows of other lengths": ("frame,joint,x,y\n0,head,1,2,3,4,5\n0\n", None, "refused"),
    "a quote without an end": ('frame,joint,x,y\n0,"head,1,2\n', None, "refused"),
    "a name of 100,000 letters": (f"frame,joint,x,y\n0,{'a' * 10**5},1,2\n", 1, "right"),
    "zero bytes": ("frame,joint,x,y\n0,he\0ad,1,2\n", None, "refused"),
    "10^30 pixels": ("frame,joint,x,y\n0,head,1e30,2\n", 1, "right"),
    "100,000 people of one row": (
        "frame,person,joint,x,y\n" + "".join(f"{i},p{i},j{i},1,2\n" for i in range(10**5)),
        None,
        "refused",
    ),
}

_COCO: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "0.png"}, {"id": 2, "file_name": "1.png"}],
    "categories": [{"id": 1, "name": "person", "keypoints": ["a", "b"], "skeleton": [[1, 2]]}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2, 3, 4, 2]}],
}


def _coco(**more: Any) -> str:
    return json.dumps(_COCO | more)


def _annotation(**more: Any) -> str:
    return _coco(annotations=[_COCO["annotations"][0] | more])


def _category(**more: Any) -> str:
    return _coco(categories=[_COCO["categories"][0] | more])


JSONS: dict[str, tuple[str | bytes, int | None, str]] = {
    "COCO": (_coco(), 2, "right"),
    "a byte order mark": (b"\xef\xbb\xbf" + _coco().encode(), 2, "right"),
    "nothing in it": ("{}", None, "refused"),
    "a list": ("[]", None, "refused"),
    "a number": ("3", None, "refused"),
    "cut": (_coco()[:100], None, "refused"),
    "deep": ("[" * 10**5, None, "refused"),
    "results only": ('[{"image_id": 1, "category_id": 1, "keypoints": [1, 2, 2], "score": 1}]', None, "refused"),
    "no images": (_coco(images=[]), None, "refused"),
    "images without numbers": (
        _coco(images=[{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}]),
        2,
        "warned",
    ),
    "an image without an id": (_coco(images=[{"file_name": "0.png"}]), None, "refused"),
    "the same image twice": (_coco(images=[{"id": 1, "file_name": "0.png"}] * 2), None, "refused"),
    "frame −5": (_coco(images=[{"id": 1, "frame_id": -5}]), None, "refused"),
    "frame in text": (_coco(images=[{"id": 1, "frame_id": "x"}]), None, "refused"),
    "no keypoints": (_category(keypoints=[]), None, "refused"),
    "a limb to joint 9": (_category(skeleton=[[1, 9]]), None, "refused"),
    "a limb to joint 0": (_category(skeleton=[[0, 1]]), None, "refused"),
    "one joint twice": (_category(keypoints=["a", "a"]), None, "refused"),
    "joints that are no text": (_category(keypoints=[{"a": 1}, 2]), 2, "right"),
    "too few numbers": (_annotation(keypoints=[1, 2, 2]), None, "refused"),
    "text for numbers": (_annotation(keypoints=["a"] * 6), None, "refused"),
    "endless numbers": (_annotation(keypoints=[1, 2, 2, float("inf"), 4, 2]), None, "refused"),
    "numbers of 400 digits": (_annotation(keypoints=[10**400, 2, 2, 3, 4, 2]), None, "refused"),
    "an image that is not there": (_annotation(image_id=9), 2, "right"),
    "a person twice in an image": (_coco(annotations=[_COCO["annotations"][0] | {"track_id": 1}] * 2), None, "refused"),
    "people without tracks": (_coco(annotations=_COCO["annotations"] * 2), 2, "warned"),
    "tracks of several kinds": (
        _coco(annotations=[_COCO["annotations"][0] | {"track_id": one} for one in (1, "a")]),
        None,
        "refused",
    ),
    "annotations that are none": (_coco(annotations=[3]), None, "refused"),
    "annotations: null": (_coco(annotations=None), None, "refused"),
    "fps 0": (_coco(info={"fps": 0}), None, "refused"),
    "fps in text": (_coco(info={"fps": "fast"}), None, "refused"),
    "a size in text": (_coco(images=[{"id": 1, "file_name": "0.png", "width": "wide", "height": 3}]), None, "refused"),
    "a negative size": (_coco(images=[{"id": 1, "file_name": "0.png", "width": -4, "height": 3}]), None, "refused"),
    "times of NaN": (_coco(images=[{"id": 1, "file_name": "0.png", "time_s": float("nan")}]), 1, "right"),
    "one frame of OpenPose": ('{"people": []}', None, "refused"),
    "records": ('[{"frame": 0, "joint": "a", "x": 1, "y": 2}]', 1, "right"),
    "records in records": ('[{"frame": {"a": 1}, "joint": "a", "x": 1, "y": 2}]', None, "refused"),
    "records of lists": ('[{"frame": 0, "joint": "a", "x": [1, 2], "y": 2}]', None, "refused"),
    "records of null": ('[{"frame": 0, "joint": "a", "x": null, "y": null}]', 1, "right"),
    "records of text": ('[{"frame": "0", "joint": "a", "x": "1", "y": "2"}]', None, "refused"),
    "UTF-16": (_coco().encode("utf-16"), None, "refused"),
}

_TRC = "PathFileType\t4\t(X/Y/Z)\ta.trc\nDataRate\tCameraRate\n25\t25\nFrame#\tTime\ta\t\t\n\t\tX1\tY1\tZ1\n\n"
TRCS: dict[str, tuple[str | bytes, int | None, str]] = {
    "whole": (_TRC + "0\t0\t1\t-2\t0\n1\t0.04\t1\t-2\t0\n", 2, "right"),
    "in space": (_TRC + "0\t0\t1\t-2\t5\n", None, "refused"),
    "DataRate 0": (_TRC.replace("25", "0") + "0\t0\t1\t-2\t0\n1\t0.04\t1\t-2\t0\n", None, "refused"),
    "DataRate in text": (_TRC.replace("25", "x") + "0\t0\t1\t-2\t0\n", None, "refused"),
    "no rows": (_TRC, None, "refused"),
    "a frame twice": (_TRC + "0\t0\t1\t-2\t0\n" * 2, None, "refused"),
    "text": (_TRC + "0\t0\ta\t-2\t0\n", None, "refused"),
    "a frame without a number": (_TRC + "\t0\t1\t-2\t0\n", None, "refused"),
    "no markers": (_TRC.replace("\ta\t\t", "") + "0\t0\n", None, "refused"),
    "short rows": (_TRC + "0\t0\t1\n1\t0.04\t1\t-2\t0\n", 2, "right"),
    "an endless place": (_TRC + "0\t0\tinf\t-2\t0\n", None, "refused"),
    "frame 1.5": (_TRC + "1.5\t0\t1\t-2\t0\n", None, "refused"),
}
_DLC = "scorer,s,s,s\nbodyparts,a,a,a\ncoords,x,y,likelihood\n"
DLCS: dict[str, tuple[str | bytes, int | None, str]] = {
    "whole": (_DLC + "0,1,2,0.9\n1,1,2,0.9\n", 2, "right"),
    "images' names": (_DLC + "labeled-data/img007.png,1,2,0.9\n", 1, "right"),
    "names without numbers": (_DLC + "first.png,1,2,0.9\n", None, "refused"),
    "a frame twice": (_DLC + "0,1,2,0.9\n" * 2, None, "refused"),
    "no rows": (_DLC, None, "refused"),
    "text": (_DLC + "0,left,2,0.9\n", None, "refused"),
    "an endless place": (_DLC + "0,inf,2,0.9\n", None, "refused"),
    "fewer columns": (_DLC + "0,1\n", None, "refused"),
    "more columns": (_DLC + "0,1,2,0.9,5,6\n", None, "refused"),
    "no names of joints": ("scorer,s,s\ncoords,x,y\n0,1,2\n", None, "refused"),
    "the header only": ("scorer,s,s\n", None, "refused"),
    "a joint twice": ("scorer,s,s,s,s\nbodyparts,a,a,a,a\ncoords,x,y,x,y\n0,1,2,3,4\n", None, "refused"),
}


def cases() -> Iterator[Case]:
    for ending, table in ((".csv", TABLES), (".json", JSONS), (".trc", TRCS), (".dlc.csv", DLCS)):
        for name, (content, n, outcome) in table.items():
            yield Case(KIND, f"a small {ending}: {name}", outcome, partial(_text, f"a{ending}", content, n))
