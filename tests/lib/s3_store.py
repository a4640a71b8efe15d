"""A scripted server whose S3 half can be written too: PUT and multipart uploads, into the dict of objects.

It holds every request with a body to the digests it came with, as real servers do, and keeps uploads that were
neither completed nor aborted.
"""

import base64
import hashlib
import re
import urllib.parse
from xml.sax.saxutils import escape

from lib.scripted import Reply, Scripted, Stored

OUT = "out"
PART_MIN_BYTES = 5 * 1024 * 1024
WRITTEN_S = 1772366400


class Upload:
    def __init__(self, key, content_type):
        self.key = key
        self.content_type = content_type
        self.parts = {}  # number -> bytes


def etag(data):
    return '"%s"' % hashlib.md5(data).hexdigest()


class Store(Scripted):
    def __init__(self, objects=None):
        super().__init__(objects)
        self.s3_buckets.add(OUT)
        self.written = {}  # key -> Stored, of the bucket OUT
        self.types = {}  # key -> Content-Type
        self.uploads = {}  # id -> Upload
        self.begun = 0

    def begin_upload(self, key, content_type="text/plain"):
        self.begun += 1
        upload_id = "id/%d+%s&=" % (self.begun, "x" * 40)
        self.uploads[upload_id] = Upload(key, content_type)
        return upload_id

    def route(self, request):
        bucket, _, key = request.path.lstrip("/").partition("/")
        if bucket != OUT:
            return super().route(request)
        request.key = urllib.parse.unquote(key)
        kinds = [
            ("POST", "uploads", "begin", self.s3_begin),
            ("PUT", "partNumber", "part", self.s3_part),
            ("POST", "uploadId", "complete", self.s3_complete),
            ("DELETE", "uploadId", "abort", self.s3_abort),
            ("GET", "uploads", "uploads", self.s3_uploads),
        ]
        for method, parameter, kind, respond in kinds:
            if request.method == method and parameter in request.query:
                return kind, self.checked(respond)
        if request.method == "PUT" and key:
            return "put", self.checked(self.s3_put)
        return "other", lambda _: Reply(404)

    def checked(self, respond):
        def answer(request):
            return self.s3_refusal(request) or self.digest_refusal(request) or respond(request)

        return answer

    def digest_refusal(self, request):
        """Each request names the SHA-256 of its body, and with a body its MD5 and type."""
        if request.headers.get("x-amz-content-sha256") != hashlib.sha256(request.body).hexdigest():
            return self.s3_error(400, "XAmzContentSHA256Mismatch", "The provided hash does not match")
        if request.body and request.headers.get("Content-MD5") != base64.b64encode(hashlib.md5(request.body).digest()).decode():
            return self.s3_error(400, "BadDigest", "The Content-MD5 you specified did not match")
        if request.body and not request.headers.get("Content-Type"):
            return self.s3_error(400, "InvalidRequest", "no type")
        return None

    def keep(self, key, data, content_type):
        self.written[key] = Stored(data, WRITTEN_S)
        self.types[key] = content_type

    def s3_put(self, request):
        self.keep(request.key, request.body, request.headers["Content-Type"])
        return Reply(200, b"", {"ETag": etag(request.body)})

    def s3_begin(self, request):
        upload_id = self.begin_upload(request.key, request.headers["Content-Type"])
        text = '<?xml version="1.0" encoding="UTF-8"?>\n<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId></InitiateMultipartUploadResult>'
        return Reply(200, (text % (OUT, escape(request.key), escape(upload_id))).encode())

    def found(self, request):
        upload = self.uploads.get(request.query["uploadId"])
        return upload if upload and upload.key == request.key else None

    def no_upload(self):
        return self.s3_error(404, "NoSuchUpload", "The specified upload does not exist")

    def s3_part(self, request):
        upload = self.found(request)
        if not upload:
            return self.no_upload()
        upload.parts[int(request.query["partNumber"])] = request.body
        return Reply(200, b"", {"ETag": etag(request.body)})

    def s3_complete(self, request):
        upload = self.found(request)
        if not upload:
            return self.no_upload()
        parts = re.findall(r"<Part><PartNumber>(\d+)</PartNumber><ETag>([^<]+)</ETag></Part>", request.body.decode())
        if [(int(number), tag) for number, tag in parts] != [(number, etag(data)) for number, data in sorted(upload.parts.items())]:
            return self.s3_error(400, "InvalidPart", "One or more of the specified parts could not be found")
        if any(len(upload.parts[number]) < PART_MIN_BYTES for number in sorted(upload.parts)[:-1]):
            return self.s3_error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        self.keep(upload.key, b"".join(data for _, data in sorted(upload.parts.items())), upload.content_type)
        del self.uploads[request.query["uploadId"]]
        return Reply(200, b'\n <?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUploadResult><ETag>"x-2"</ETag></CompleteMultipartUploadResult>')

    def s3_abort(self, request):
        if not self.found(request):
            return self.no_upload()
        del self.uploads[request.query["uploadId"]]
        return Reply(204)

    def s3_uploads(self, request):
        prefix = request.query.get("prefix", "")
        rows = "".join("<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload>" % (escape(one.key), escape(upload_id)) for upload_id, one in self.uploads.items() if one.key.startswith(prefix))
        text = '<?xml version="1.0" encoding="UTF-8"?>\n<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>%s</Bucket>%s</ListMultipartUploadsResult>'
        return Reply(200, (text % (OUT, rows)).encode())
