"""Recordings of ROS 1 and ROS 2 written with rosbags: any messages, every container, every way to pack chunks."""

import lz4.frame
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Writer2


def record2(folder, messages, store, plugin=StoragePlugin.MCAP, chunks=""):
    """Write (topic, type, log time, message) in this order; return the file. `chunks` of MCAP: "", "lz4", "zstd"."""
    recording = Writer2(folder, version=9, storage_plugin=plugin)
    if chunks == "zstd":
        recording.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with recording as writer:
        if chunks == "lz4":  # rosbags reads it, but writes zstd alone
            writer.storage.compression, writer.storage.compressor = "lz4", lz4.frame.compress
        _write(writer, messages, store, store.serialize_cdr)
    return str(next(p for p in folder.iterdir() if p.suffix in (".mcap", ".db3")))


def record1(path, messages, store, chunks=""):
    """Write (topic, type, log time, message) in this order; return the file. `chunks`: "", "lz4", "bz2"."""
    recording = Writer1(path)
    if chunks:
        recording.set_compression(Writer1.CompressionFormat[chunks.upper()])
    with recording as writer:
        _write(writer, messages, store, store.serialize_ros1)
    return str(path)


def _write(writer, messages, store, serialize):
    topics = {}
    for topic, kind, ns, message in messages:
        if topic not in topics:
            topics[topic] = writer.add_connection(topic, kind, typestore=store)
        writer.write(topics[topic], ns, serialize(message, kind))
