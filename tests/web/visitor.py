"""A browser without a screen: opens a session, presses buttons, and reads what it is shown."""

import http.client
from contextlib import ExitStack
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE_S = 60


class Visitor:
    """One session with a dashboard, under the headers that its proxy would send."""

    def __init__(self, address, **headers):
        self.held = ExitStack()
        connection = connect(
            address.replace("http", "ws", 1) + "/_stcore/stream",
            origin=address,
            additional_headers={name.replace("_", "-"): text for name, text in headers.items()},
            subprotocols=["streamlit"],
            max_size=None,
            proxy=None,
        )
        self.socket = self.held.enter_context(connection)
        self.query, self.page, self.buttons = "", "", {}

    def close(self):
        """Close the tab."""
        self.held.close()

    def open(self, query="", page=""):
        """What a page shows, as text with everything around it, Markdown escapes undone."""
        self.query, self.page = query, page
        return self._run(BackMsg())

    def press(self, label):
        """What the page shows once a button was pressed."""
        pressed = BackMsg()
        state = pressed.rerun_script.widget_states.widgets.add()
        state.id, state.trigger_value = self.buttons[label], True
        return self._run(pressed)

    def _run(self, message):
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        self.socket.send(message.SerializeToString())
        shown = []
        while True:
            answer = ForwardMsg.FromString(self.socket.recv(PATIENCE_S))
            if answer.WhichOneof("type") == "script_finished":
                return "\n".join(shown).replace("\\", "")
            if answer.HasField("delta"):
                shown.append(str(answer.delta))
                element = answer.delta.new_element
                if element.HasField("button"):
                    self.buttons[element.button.label] = element.button.id


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
