# SPDX-License-Identifier: Apache-2.0
"""The upload window: several requests in flight, and what to make of every answer.

Pure: no input or output, no clock; the caller sends what `next_request` returns, passes answers
in, and says what time it is (seconds of any monotonic clock).

How the server behaves (Zephyr 3.5, measured): requests are taken in order; with no free buffer a
request vanishes without an answer; every answer carries the offset that the device expects next,
also the answer to a request for the wrong offset, which is not an error and stores nothing.
So the device's offset is the truth, and the window follows it:

    OPENING    the first request is due or in flight, alone: it names the file's length and hash,
               may cost a whole erase (40 s), and is answered with the offset to go on from
               (an upload of the same file that broke off goes on where it was)
    FLOWING    up to `width` requests are in flight, each behind the one before
    DRAINING   the device showed that a request was lost: nothing is sent until those behind it
               are answered, then it goes on from the device's offset, narrower by one
    ASKING     an answer is overdue (`round_trip`): the device is asked for its offset by a request
               without data, alone, with growing patience; no data is ever sent again on a mere
               suspicion. Late answers that show that nothing is missing end it as well
    LOST_TRACK the device says that no upload is under way: it restarted its bookkeeping, or has
               finished and only the last answer was lost; the caller looks which, then `reopen`s
    DONE       the device has everything
    FAILED     `failure` says why

A late answer is recognised by its sequence number and still moves the offset on; a second answer
to the same request is dropped. An offset that goes back below what the device had, or beyond what
was sent, on an unbroken link, is somebody else's upload: FAILED with `Failure.FOREIGN`.

The window narrows by one with each loss, and widens by one after a run of clean answers that
doubles with each loss, up to `limit`: two less than the server's buffers, since the buffers of a
request and of its response are both busy until the response is on its way. Two in flight of four
never lost a request; three did. So it starts at two where the server has four buffers or more;
without a word on buffers it starts at one and tries two.

With two in flight most losses cost no time, as the answer to the second request shows that the
first was lost. One that is lost alone is missed after a few round trips; if frames are longer than
every device is sure to receive (the lines of a console), those behind it are half as long.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from . import image_group
from .errors import ImageError, Rc, SmpError
from .frames import Request
from .image_group import UploadAnswer
from .round_trip import RoundTrip
from .width import Width, first_width, width_limit
from .window_model import Failure, Patience, Sent, WindowCounts, WindowState

_MEMORY = 64


@dataclass
class UploadWindow:
    """One upload of `data` as image number `image`; `digest` is the SHA-256 of the data.

    `frame_size` is the most bytes of a frame; `alignment` the multiple of bytes that a chunk must
    have (the last may not). `buffer_count` is the server's, `None` if not known; `most_in_flight`
    what the medium carries at once, where that is less than the server's buffers allow;
    `sure_frame_size` the length in bytes that frames may shrink to if longer ones get lost.
    """

    data: bytes
    digest: bytes
    frame_size: int
    image: int = 0
    buffer_count: int | None = None
    most_in_flight: int | None = None
    sure_frame_size: int | None = None
    alignment: int = 1
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        """Begin with nothing sent."""
        self.state = WindowState.OPENING
        self.failure: Failure | None = None
        self.error: SmpError | None = None
        self.match: bool | None = None
        limit = width_limit(self.buffer_count)
        limit = min(limit, self.most_in_flight or limit)
        self._width = Width(first_width(self.buffer_count), limit)
        self.counts = WindowCounts(widest=self.width)
        self.offset = 0
        self.resumed_at: int | None = None
        self._next = 0
        self._highest = 0
        self._flight: dict[int, Sent] = {}
        self._retired: dict[int, Sent] = {}
        self._answered: deque[int] = deque(maxlen=_MEMORY)
        self._tries = 0
        self._not_before = 0.0
        self._trip = RoundTrip(self.patience)
        self._opened = False
        self._longest_frame: int | None = None

    # What the caller asks

    @property
    def total(self) -> int:
        """The length of the file in bytes."""
        return len(self.data)

    @property
    def width(self) -> int:
        """How many requests may be in flight now."""
        return self._width.now

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._flight)

    def may_stand_at(self, offset: int) -> bool:
        """Whether an upload of ours that broke off may have left the device at this offset."""
        return self.offset <= offset <= self._highest

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to send or to wait for."""
        return self.state in (WindowState.DONE, WindowState.FAILED, WindowState.LOST_TRACK)

    @property
    def wake_at(self) -> float | None:
        """When `tick` is due: a request's deadline, or the end of a pause; `None` for never."""
        times = [sent.deadline for sent in self._flight.values()]
        if self._has_something_to_send():
            times.append(self._not_before)
        return min(times) if times and not self.is_over else None

    def next_request(self, sequence: int, now: float) -> Request | None:
        """Return what to send now as number `sequence`, or `None` if it is time to wait."""
        if not self._has_something_to_send() or now < self._not_before:
            return None
        if self.state is WindowState.ASKING:
            request, sent = self._query(now)
        elif self.state is WindowState.OPENING:
            request, sent = self._first(now)
        else:
            request, sent = self._chunk(now)
        self.counts.requests += 1
        sent.order = self.counts.requests
        self._flight[sequence] = sent
        self._retired.pop(sequence, None)
        if sequence in self._answered:
            self._answered.remove(sequence)
        return request

    def answer(self, sequence: int, answer: UploadAnswer, now: float) -> None:
        """Take an answer: the device's offset is the truth."""
        sent = self._flight.pop(sequence, None)
        late = sent is None
        if sent is None:
            sent = self._retired.pop(sequence, None)
            if sent is None:
                self.counts.duplicates += sequence in self._answered
                return
            self.counts.late += 1
        self._answered.append(sequence)
        self.counts.answers += 1
        if self.is_over:
            return
        overtaken = [] if late else self._retire_before(sent)
        if sent.kind == "query":
            # A late one says nothing about what was sent since.
            if not late or self.state is WindowState.ASKING:
                self._after_query(answer)
        elif sent.kind == "first":
            self._after_first(sent, answer, now)
        else:
            self._after_chunk(sent, answer, overtaken, late, now)
        if self.state is WindowState.DRAINING and not self._flight:
            self.state = WindowState.FLOWING

    def refuse(self, sequence: int, error: SmpError, now: float) -> None:
        """Take an error: short of memory is a loss, busy a pause, anything else the end."""
        sent = self._flight.pop(sequence, None)
        if sent is None:
            # The device has said something else since, or will when it is asked.
            self._retired.pop(sequence, None)
            self._answered.append(sequence)
            return
        self._answered.append(sequence)
        self.counts.answers += 1
        if self.is_over:
            return
        self._retire_before(sent)
        if sent.kind == "query":
            # It does not answer questions; the next chunk's answer tells as much.
            if self._opened:
                self._rewind(self.offset)
            else:
                self.state = WindowState.OPENING
            return
        passing = error.is_rc(Rc.ENOMEM, Rc.EBUSY) or error.is_image(ImageError.NO_FREE_MEMORY)
        self._tries += 1
        if not passing or self._tries > self.patience.tries:
            self._fail(Failure.REFUSED, error)
            return
        self._not_before = now + self.patience.busy * self._tries
        self._width.narrow()
        if sent.kind == "chunk":
            self._rewind(min(sent.offset, self._next))

    def tick(self, now: float) -> None:
        """Look whether an answer is overdue; call when `wake_at` has come."""
        if self.is_over or all(now < sent.deadline for sent in self._flight.values()):
            return
        self.counts.timeouts += 1
        self._tries += 1
        self._retired.update(self._flight)
        while len(self._retired) > _MEMORY:
            del self._retired[next(iter(self._retired))]
        self._flight.clear()
        if self._tries > self.patience.tries:
            self._fail(Failure.STALLED)
        else:
            self.state = WindowState.ASKING

    def reopen(self, frame_size: int | None = None) -> None:
        """Begin again with the first request: after the link was lost, or the device lost track.

        What was in flight is forgotten. The device decides where the upload goes on. Frames that
        had to shrink stay as short.
        """
        self._flight.clear()
        self._retired.clear()
        self._answered.clear()
        self._opened = False
        self._not_before = 0.0
        self._next = self._highest = 0
        self.frame_size = frame_size or self.frame_size
        self.frame_size = min(self.frame_size, self._longest_frame or self.frame_size)
        self.state = WindowState.OPENING

    # Making requests

    def _has_something_to_send(self) -> bool:
        if self.state in (WindowState.OPENING, WindowState.ASKING):
            return not self._flight
        if self.state is WindowState.FLOWING:
            return self._next < self.total and len(self._flight) < self.width
        return False

    def _first(self, now: float) -> tuple[Request, Sent]:
        size = image_group.first_chunk_size(self.frame_size, self.total, self.digest, self.image)
        end = self._aligned(0, size)
        self._next = end
        self._highest = max(self._highest, end)
        request = image_group.upload_first(self.data[:end], self.total, self.digest, self.image)
        return request, Sent(0, end, now, now + self.patience.first, "first")

    def _chunk(self, now: float) -> tuple[Request, Sent]:
        start = self._next
        end = self._aligned(start, image_group.chunk_size(self.frame_size, start))
        self._next = end
        self._highest = max(self._highest, end)
        sent = Sent(start, end, now, now + self._trip.wait, "chunk")
        return image_group.upload_next(self.data[start:end], start), sent

    def _query(self, now: float) -> tuple[Request, Sent]:
        wait = max(self._trip.wait, self.patience.asking) * 2 ** (self._tries - 1)
        deadline = now + min(wait, self.patience.most)
        sent = Sent(self.total, self.total, now, deadline, "query")
        return image_group.upload_query(self.total), sent

    def _aligned(self, start: int, size: int) -> int:
        end = min(start + size, self.total)
        if end < self.total:
            end -= (end - start) % self.alignment
        if end <= start:
            raise ValueError(f"a frame of {self.frame_size} bytes has no room for data")
        return end

    # Understanding answers

    def _retire_before(self, sent: Sent) -> list[Sent]:
        """Take out what was sent before `sent`: answers come in order, so its own is lost."""
        overtaken = [(n, s) for n, s in self._flight.items() if s.order < sent.order]
        for number, one in overtaken:
            del self._flight[number]
            self._retired[number] = one
        return [one for _, one in overtaken]

    def _after_first(self, sent: Sent, answer: UploadAnswer, now: float) -> None:
        offset = answer.offset
        if offset > self.total:
            self._fail(Failure.BEYOND)
        elif offset == 0:
            self._no_progress(now)
        else:
            self._opened = True
            self._trip.open(now - sent.at)
            if offset != sent.end or self.resumed_at is None:
                self.resumed_at = 0 if offset == sent.end else offset
            self._highest = max(self._highest, offset)
            self._tries = 0
            self._next = self.offset = offset
            self.state = WindowState.FLOWING
            self._advance(offset, answer.match)

    def _after_query(self, answer: UploadAnswer) -> None:
        offset = answer.offset
        if not self._opened:
            # Whatever upload the device is at, the first request decides what it is.
            self.state = WindowState.OPENING
        elif offset == 0:
            self.state = WindowState.LOST_TRACK
        elif offset < self.offset or offset > self._highest:
            self._fail(Failure.FOREIGN)
        else:
            lost = sum(1 for one in self._retired.values() if one.end > offset)
            if lost:
                self._lose(lost)
            self._retired.clear()
            self._flight.clear()  # a question asked again, if this answers an earlier one
            self._rewind(offset)
            self._advance(offset, answer.match)

    def _after_chunk(
        self, sent: Sent, answer: UploadAnswer, overtaken: list[Sent], late: bool, now: float
    ) -> None:
        offset = answer.offset
        self._trip.learn(now - sent.at)
        if offset == 0:
            self.state = WindowState.LOST_TRACK
        elif offset > self._highest or (offset < self.offset and not late):
            self._fail(Failure.BEYOND if offset > self.total else Failure.FOREIGN)
        elif offset >= sent.end:
            if overtaken:
                self.counts.lost_answers += len(overtaken)
                self._width.narrow()
            else:
                self._width.count_clean(late=late)
                self.counts.widest = max(self.counts.widest, self.width)
            self._advance(offset, answer.match)
            self._next = max(self._next, self.offset)
            self._stop_asking()
        elif not late and self.state is WindowState.FLOWING:
            self._lose(max(1, len(overtaken)))
            self._rewind(offset)
            self._advance(offset, answer.match)
            self._no_progress(now, pause=offset == sent.offset)

    def _advance(self, offset: int, match: bool | None) -> None:
        if offset > self.offset:
            self._tries = 0
            self.offset = offset
        if self.offset == self.total:
            self.match = match
            self.state = WindowState.DONE

    def _stop_asking(self) -> None:
        """Go on at once if the device turns out to have all that was sent: it was only slow."""
        if self.state is WindowState.ASKING and self.offset == self._highest:
            self._retired.clear()
            self._flight.clear()
            self._next = self.offset
            self.state = WindowState.FLOWING

    def _rewind(self, offset: int) -> None:
        self.counts.rewinds += 1
        self._next = offset
        self.state = WindowState.DRAINING if self._flight else WindowState.FLOWING

    def _no_progress(self, now: float, *, pause: bool = True) -> None:
        self._tries += 1
        if self._tries > self.patience.tries:
            self._fail(Failure.STALLED)
        elif pause:
            self._not_before = now + self.patience.busy

    def _lose(self, requests: int) -> None:
        self.counts.lost_requests += requests
        sure = self.sure_frame_size
        if self.width == 1 and sure is not None and sure < self.frame_size:
            self._longest_frame = self.frame_size = max(sure, self.frame_size // 2)
        self._width.narrow()

    def _fail(self, failure: Failure, error: SmpError | None = None) -> None:
        self.state = WindowState.FAILED
        self.failure = failure
        self.error = error
