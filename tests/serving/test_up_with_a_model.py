"""`fitsense up --model`: a version that is promoted on the stack's own bus answers through the stack's own router."""

import json
from pathlib import Path

from deploy.local.stack import local_stack
from shared.artifacts import DirectoryStore
from shared.documents import SqliteDocuments
from shared.spool import Spool
from tests.model_server import until
from tests.serving.stack import START_S, get
from tests.serving.toy import toy_base
from tests.serving.versions import promote, put_model


def test_a_promotion_on_the_bus_is_served_by_the_stack(tmp_path: Path) -> None:
    toy_base(tmp_path / "models/base/toy")
    with local_stack(tmp_path, stack="embedded", postgres=True, model=True) as stack:
        router = int(json.loads(stack.environment["FITSENSE_SERVICE_URLS"])["inference-router"].rpartition(":")[2])
        assert get(router, "/readyz")[0] == 503
        name = put_model(DirectoryStore(tmp_path), 1)
        Spool(tmp_path / "bus").publish(promote(SqliteDocuments(tmp_path / "documents.sqlite"), name))
        until(lambda: get(router, "/readyz")[0] == 200, START_S)
        assert json.loads(get(router, "/readyz")[1])["version"] == name
