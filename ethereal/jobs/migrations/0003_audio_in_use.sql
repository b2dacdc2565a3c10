CREATE INDEX jobs_audio ON jobs (json_extract(request, '$.audioKey'));
