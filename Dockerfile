FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp PILOTDASH_DATA=/data
WORKDIR /app

COPY requirements/app.txt requirements/app.txt
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements/app.txt

COPY manage.py ./
COPY pilotdash pilotdash
COPY apps apps
COPY templates templates
COPY static static
RUN python -m compileall -q pilotdash apps

# Any user id may run it: all it writes is below /data, and /tmp. A fresh volume takes these
# permissions over.
RUN mkdir -m 1777 /data
USER 10001
VOLUME /data

EXPOSE 8000 8001
# Which program a container is: gateway, web, worker-ingest, worker or beat.
ENTRYPOINT ["python", "-m", "pilotdash.parts"]
CMD ["gateway"]
