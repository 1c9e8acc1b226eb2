"""Recordings of a browser's MediaRecorder: WebM with neither duration, nor cues, nor sizes of clusters."""

from __future__ import annotations

import base64
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from dkd.video.clip import Clip
from tests.support.browser import CHROMIUM_ARGUMENTS, find_chromium
from tests.support.video_files import CODECS, draw_number, read_number, write_clip

N = 60
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
RECORD = """async ([type, wanted]) => {
    const stream = await window.open_stream();
    const recorder = new MediaRecorder(stream, { mimeType: type });
    const chunks = [];
    const stopped = new Promise((done) => { recorder.onstop = done; });
    recorder.ondataavailable = (event) => chunks.push(event.data);
    recorder.start(100);
    await window.play(stream, wanted);
    recorder.stop();
    await stopped;
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""
# A camera that shows what the browser makes up, until it has shown enough frames.
FROM_CAMERA = """() => {
    window.open_stream = () => navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
    window.play = async (stream, wanted) => {
        const video = document.createElement('video');
        Object.assign(video, { srcObject: stream, muted: true });
        await video.play();
        for (let n = 0; n < wanted; n++) await new Promise((done) => video.requestVideoFrameCallback(done));
    };
}"""
# Pictures that show their number, as tests.support.video_files draws them.
FROM_PICTURES = """(pictures) => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    [canvas.width, canvas.height] = [160, 96];
    const draw = async (picture) => {
        const image = new Image();
        image.src = 'data:image/png;base64,' + picture;
        await image.decode();
        context.drawImage(image, 0, 0);
    };
    window.open_stream = async () => { await draw(pictures[0]); return canvas.captureStream(0); };
    window.play = async (stream) => {
        for (const picture of pictures) {
            await draw(picture);
            stream.getVideoTracks()[0].requestFrame();
            await new Promise((done) => setTimeout(done, 40));
        }
    };
}"""


def has_no_index(path: Path) -> bool:
    data = path.read_bytes()
    with av.open(str(path)) as container:
        return container.duration is None and b"\x1c\x53\xbb\x6b" not in data and b"\x44\x89" not in data[:300]


@pytest.fixture
def camera_page(browser: Browser):
    chromium = browser.browser_type.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *CAMERA])
    page = chromium.new_page()
    page.route("**/*", lambda route: route.fulfill(body="<p>camera", content_type="text/html"))
    page.goto("http://localhost:1/")  # a camera needs a page of this machine
    yield page
    chromium.close()


def record(page: Page, path: Path, kind: str, wanted: int = 0) -> Path:
    path.write_bytes(base64.b64decode(page.evaluate(RECORD, [f"video/webm;codecs={kind}", wanted])))
    return path


def times_of_packets(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = sorted((p.pts or 0) * float(p.time_base or 0) for p in container.demux(stream) if p.size)
    return np.array(times) - times[0]


def check_random_access(path: Path, clip: Clip) -> None:
    frames = [np.array(frame) for frame in clip]
    with Clip(path, cache_bytes=0) as fresh:
        for t in np.random.default_rng(1).permutation(len(clip))[:20].tolist():
            np.testing.assert_array_equal(fresh.frame(t), frames[t])


@pytest.mark.parametrize("codec", ["vp8", "vp9"])
def test_a_recording_of_a_camera_has_exact_frames_and_its_own_times(camera_page, tmp_path, codec) -> None:
    camera_page.evaluate(FROM_CAMERA)
    path = record(camera_page, tmp_path / "webcam.webm", codec, 20)
    assert has_no_index(path)
    with Clip(path) as clip:
        assert (clip.width, clip.height) == (320, 240) and len(clip) >= 10 and not clip.truncated
        assert np.abs(clip.times - times_of_packets(path)).max() <= 0.001 and (np.diff(clip.times) > 0).all()
        check_random_access(path, clip)


def test_numbered_pictures_come_out_of_a_recording_in_order(camera_page, tmp_path) -> None:
    import cv2

    pictures = [
        base64.b64encode(cv2.imencode(".png", draw_number(n)[..., ::-1])[1].tobytes()).decode() for n in range(40)
    ]
    camera_page.evaluate(FROM_PICTURES, pictures)
    path = record(camera_page, tmp_path / "canvas.webm", "vp8")
    assert has_no_index(path)
    with Clip(path) as clip:
        numbers = [read_number(frame) for frame in clip]
        # A busy machine may skip pictures, and the first one may come twice; none comes out of order.
        assert numbers == sorted(numbers) and len(set(numbers)) >= 10 and len(numbers) - len(set(numbers)) <= 1
        check_random_access(path, clip)


@pytest.mark.parametrize("kind", ["vp8", "vp9", "h264_matroska", "h264_closed_gop"])
def test_a_live_file_has_exact_frames_random_access_and_true_times(tmp_path, kind) -> None:
    """The same structure, written by FFmpeg, with several key frames and a variable rate."""
    _, codec, options = CODECS[kind]
    milliseconds = np.cumsum(np.random.default_rng(3).choice((17, 33, 40, 120), N)).tolist()
    path = tmp_path / "live.webm" if kind.startswith("vp") else tmp_path / "live.mkv"
    pictures = [draw_number(n) for n in range(N)]
    write_clip(path, pictures, codec, options, milliseconds, container_options={"live": "1"})
    assert has_no_index(path)
    with Clip(path, cache_bytes=0) as clip:
        assert [read_number(frame) for frame in clip] == list(range(N))
        for t in (N - 1, 30, 0, 45, 44, 12, 59, 1):
            assert read_number(clip.frame(t)) == t
        np.testing.assert_allclose(clip.times, (np.array(milliseconds) - milliseconds[0]) / 1000, atol=1e-9)
        assert clip.fps is None and not clip.truncated


def test_a_recording_that_broke_off_is_shorter_and_right(tmp_path) -> None:
    _, codec, options = CODECS["vp8"]
    whole = write_clip(
        tmp_path / "whole.webm", [draw_number(n) for n in range(N)], codec, options, container_options={"live": "1"}
    )
    data = whole.read_bytes()
    for share in (0.4, 0.75, 0.97):
        path = tmp_path / "cut.webm"
        path.write_bytes(data[: int(len(data) * share)])
        with Clip(path) as clip:
            assert 0 < len(clip) < N
            assert [read_number(frame) for frame in clip] == list(range(len(clip)))
