"""A browser without a screen: opens a session, presses buttons, and reads what it is shown."""

import http.client
from contextlib import ExitStack
from urllib.parse import urlsplit
from urllib.request import urlopen

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE_S = 60


class Visitor:
    """One session with a dashboard, under the headers that its proxy would send."""

    def __init__(self, address, **headers):
        self.address, self.held = address, ExitStack()
        connection = connect(
            address.replace("http", "ws", 1) + "/_stcore/stream",
            origin=address,
            additional_headers={name.replace("_", "-"): text for name, text in headers.items()},
            subprotocols=["streamlit"],
            max_size=None,
            proxy=None,
        )
        self.socket = self.held.enter_context(connection)
        self.query, self.page, self.session = "", "", ""
        self.elements, self.shown, self.broken = {}, [], False

    def close(self):
        """Close the tab."""
        self.held.close()

    def open(self, query="", page=""):
        """What a page shows, as text with everything around it, Markdown escapes undone."""
        self.query, self.page = query, page
        self._run(BackMsg())
        return self.text()

    def text(self):
        """What the last run showed."""
        return "\n".join(map(str, self.shown)).replace("\\", "")

    def turn(self, page):
        """Go to another page, and wait until it is at rest."""
        self.page = page
        self._run(BackMsg())

    def press(self, label):
        """What the page shows once a button was pressed."""
        message, state = _typed(self.elements["button", label])
        state.trigger_value = True
        self._run(message)
        return self.text()

    def move(self, label, at_frac):
        """Put a slider somewhere along its stops, and wait until the page is at rest."""
        slider = self.elements["slider", label]
        message, state = _typed(slider)
        state.string_array_value.data.append(slider.options[int(at_frac * len(slider.options))])
        self._run(message)

    def file(self, label):
        """What a download button gives."""
        asked_for = BackMsg().backend_operation_request
        asked_for.request_id, asked_for.session_id = label, self.session
        asked_for.deferred_file.file_id = self.elements["download_button", label].deferred_file_id
        self.socket.send(BackMsg(backend_operation_request=asked_for).SerializeToString())
        while True:
            answer = self._heard()
            if answer.WhichOneof("type") == "backend_operation_response":
                url = self.address + answer.backend_operation_response.deferred_file.url
                return urlopen(url, timeout=PATIENCE_S).read()

    def _heard(self):
        return ForwardMsg.FromString(self.socket.recv(PATIENCE_S))

    def _run(self, message):
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        self.socket.send(message.SerializeToString())
        self.shown = []
        while True:
            answer = self._heard()
            kind = answer.WhichOneof("type")
            if kind == "script_finished":
                return
            if kind == "new_session":
                self.session = answer.new_session.initialize.session_id
            if kind == "delta":
                self.shown.append(answer.delta)
                self._know(answer.delta.new_element)

    def _know(self, element):
        kind = element.WhichOneof("type")
        self.broken |= kind == "exception"
        if kind in ("button", "slider", "download_button"):
            held = getattr(element, kind)
            self.elements[kind, held.label] = held


def _typed(element):
    """A message that something was done to an element, and the state to be filled in."""
    message = BackMsg()
    state = message.rerun_script.widget_states.widgets.add()
    state.id = element.id
    return message, state


def asked(address, path, method="GET", **headers):
    """Status, headers and text of an answer; the path goes out as it is."""
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, text in headers.items():
            connection.putheader(name, text)
        connection.endheaders()
        answer = connection.getresponse()
        kept = {name.lower(): text for name, text in answer.getheaders()}
        body = b"" if answer.status == 101 else answer.read()
        return answer.status, kept, body.decode(errors="replace")
    finally:
        connection.close()
