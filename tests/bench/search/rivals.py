"""Run in its own environment: the same vectors in LanceDB or Chroma, asked one line of JSON at a time.

First line: {"engine", "data" (npz of ids, users, days, vectors, questions), "directory"}; then {"user", "first_day"}
lines, each answered by {"milliseconds": [...], "found": [[id, ...], ...]} for all questions.
"""

import json
import sys
import time

import numpy as np

TOP = 100


class Lance:
    """An IVF index of HNSW graphs with scalar quantisation and scalar indexes on the filtered columns."""

    def __init__(self, directory, data):
        import lancedb  # noqa: PLC0415 - one engine a process
        import pyarrow as pa  # noqa: PLC0415

        vectors = np.ascontiguousarray(data["vectors"], np.float32)
        columns = {
            "id": pa.array(np.arange(len(vectors))),
            "user": pa.array(data["users"].tolist()),
            "day": pa.array(data["days"]),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
        }
        self.table = lancedb.connect(directory).create_table("segments", pa.table(columns))
        self.table.create_index(metric="cosine", index_type="IVF_HNSW_SQ", num_partitions=1, m=16, ef_construction=200)
        self.table.create_scalar_index("user", index_type="BITMAP")
        self.table.create_scalar_index("day")

    def ask(self, vector, user, first_day):
        query = self.table.search(vector).metric("cosine").ef(200).limit(TOP)
        where = f"user = '{user}'" + (f" AND day >= {first_day}" if first_day else "")
        return query.where(where, prefilter=True).select(["id"]).to_arrow()["id"].to_pylist()


class Chroma:
    """Its persistent client, HNSW with the same parameters, a where filter on user and day."""

    def __init__(self, directory, data):
        import chromadb  # noqa: PLC0415 - one engine a process

        client = chromadb.PersistentClient(directory)
        hnsw = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 16}
        self.collection = client.create_collection("segments", configuration={"hnsw": hnsw})
        for at in range(0, len(data["users"]), 5000):
            part = slice(at, at + 5000)
            users, days = data["users"][part].tolist(), data["days"][part].tolist()
            self.collection.add(
                ids=[str(i) for i in range(at, at + len(users))],
                embeddings=data["vectors"][part],
                metadatas=[{"user": u, "day": d} for u, d in zip(users, days, strict=True)],
            )

    def ask(self, vector, user, first_day):
        where = {"user": user}
        if first_day:
            where = {"$and": [{"user": user}, {"day": {"$gte": first_day}}]}
        found = self.collection.query(query_embeddings=[vector], n_results=TOP, where=where, include=[])
        return [int(i) for i in found["ids"][0]]


def main():
    told = json.loads(sys.stdin.readline())
    with np.load(told["data"]) as stored:
        data = {name: stored[name] for name in stored.files}
    started = time.perf_counter()
    engine = {"lancedb": Lance, "chroma": Chroma}[told["engine"]](told["directory"], data)
    print(json.dumps({"built_s": time.perf_counter() - started}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        times, answers = [], []
        for vector in [*data["questions"]] * asked["rounds"]:
            started = time.perf_counter()
            answers.append(engine.ask(vector, asked["user"], asked["first_day"]))
            times.append((time.perf_counter() - started) * 1000)
        last = slice(-len(data["questions"]), None)
        print(json.dumps({"milliseconds": times[last], "found": answers[last]}), flush=True)


if __name__ == "__main__":
    main()
