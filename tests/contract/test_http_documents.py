"""The services' OpenAPI documents: valid, and complete enough to call the services by."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from deploy.http_documents import ROUTER, http_documents

DOCUMENTS = http_documents()
PUBLIC = {path: document for path, document in DOCUMENTS.items() if path != ROUTER}
"""Those of the services that users reach; the router is for services, and speaks as OpenAI does."""


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_valid_openapi_31(path: str) -> None:
    document = DOCUMENTS[path]
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


@pytest.mark.parametrize("path", PUBLIC)
def test_every_operation_says_who_may_call_it_and_what_can_go_wrong(path: str) -> None:
    for operations in DOCUMENTS[path]["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert "security" in operation
            assert {"429", "503"} <= set(operation["responses"])
            assert not operation["security"] or "401" in operation["responses"]
            assert "requestBody" not in operation or {"400", "413", "415"} <= set(operation["responses"])


@pytest.mark.parametrize("path", PUBLIC)
def test_every_post_takes_an_idempotency_key(path: str) -> None:
    posts = {name: one["post"] for name, one in DOCUMENTS[path]["paths"].items() if "post" in one}
    assert posts
    for name, operation in posts.items():
        assert "Idempotency-Key" in [one["name"] for one in operation["parameters"]], name


def test_no_two_services_answer_below_one_path() -> None:
    paths = [path for document in DOCUMENTS.values() for path in document["paths"]]
    assert len(paths) == len(set(paths))


def test_every_public_path_is_reached_through_the_gateway_at_its_own_service() -> None:
    from deploy.local.gateway import service_of

    for name, document in PUBLIC.items():
        service = name.removeprefix("http/").removesuffix(".json")
        assert {service_of(path) for path in document["paths"]} == {service}
    assert service_of("/internal/users/x/profile") is None
    assert service_of("/metrics") is None
