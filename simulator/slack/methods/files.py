"""files.getUploadURLExternal, files.completeUploadExternal: docs.slack.dev/messaging/working-with-files."""

from simulator.slack import limits
from simulator.slack.errors import SlackError, refusal
from simulator.slack.files import File
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Json

FILE_BYTES = 1_000_000_000
SNIPPET_BYTES = 1_000_000


def get_upload_url(call: Call) -> Json:
    name = call.required("filename")
    try:
        length = int(call.args.get("length", 0))
    except (TypeError, ValueError):
        length = 0
    if length <= 0:
        raise refusal("invalid_arguments", "must be greater than 0 [json-pointer:/length]")
    if length > FILE_BYTES:
        raise SlackError("file_upload_size_restricted")
    if call.text("snippet_type") and length > SNIPPET_BYTES:
        raise SlackError("snippet_too_large")
    bot = call.installation.bot
    file = call.workspace.files.add(name=name, user_id=bot.id, team_id=bot.team_id, size=length)
    return {"upload_url": call.workspace.files.upload_url(file), "file_id": file.id}


def complete_upload(call: Call) -> Json:
    """The files become a message of the app's, if a channel is given. The answer does not say which."""
    given = limits.parsed(call.args.get("files"), "invalid_arguments")
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise refusal("invalid_arguments", "must be a list of files [json-pointer:/files]")
    files = [_uploaded(call, item) for item in given]
    channel = call.destination("channel_id") if call.args.get("channel_id") else None
    thread_ts = call.thread(channel) if channel else None
    for file, item in zip(files, given, strict=True):
        file.title = str(item.get("title") or file.name)
    if channel:
        comment = call.text("initial_comment") or ""
        shown = [file.render() for file in files]
        call.workspace.post(channel, call.installation.bot, comment, thread_ts=thread_ts, files=shown)
    return {"files": [{"id": file.id, "title": file.title} for file in files]}


def _uploaded(call: Call, item: Json) -> File:
    """The file of the app that `item` names, which must not have been shared before."""
    file = call.workspace.files.get(str(item.get("id")))
    is_own = file is not None and file.user_id == call.installation.bot.id
    if file is None or not is_own or file.content is None or file.title is not None:
        raise SlackError("file_not_found")
    return file


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, 4, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, 4, ("files:write",)),
}
