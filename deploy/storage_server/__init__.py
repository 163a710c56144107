"""Storage server: Cloud Storage's JSON API on a directory, for the local stack and its tests.

Honoured: buckets (versioning, labels); media, multipart and resumable uploads, MD5 and CRC32C
checked; ranged and whole downloads, gzip content decompressed for who does not take gzip; listing by
prefix, delimiter, offsets, glob, versions, pages; metadata patch and update; compose, copy, rewrite,
move, delete; batches; every ifGeneration... and ifMetageneration... precondition, on all of these,
atomically, and If-Match on reads; notifications to Pub/Sub with event types, name prefix and
attributes of one's own. Any object is at http://HOST:PORT/BUCKET/OBJECT for a browser.

Kept and shown, but without effect: storage classes, lifecycle, retention, CORS and other settings of
buckets. Ignored: credentials, signatures, `fields`, projections, access control lists, encryption
keys, quotas, whether a notification's topic exists. Answered by 400: IAM, ACL and HMAC calls, soft
delete, folders, the XML API.

Contents are on disk before an upload is answered. State survives kill -9 of the server at any moment.

    google-cloud-storage    STORAGE_EMULATOR_HOST=http://HOST:PORT
    gcloud storage          CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE=http://HOST:PORT/storage/v1/
                            CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true
"""
