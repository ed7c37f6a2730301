# syntax=docker/dockerfile:1
# Runs with a read-only root: docker run --read-only --tmpfs /tmp -v switchyard:/data …
# Outside of loopback the dashboard wants sign-in, or does not start: docs/hosting.md.

FROM python:3.12-slim AS environment
WORKDIR /app
COPY requirements-uv.lock requirements-hosted.lock ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.lock \
    && /venv/bin/uv pip install --no-cache --compile-bytecode --python /venv/bin/python \
        --require-hashes -r requirements-hosted.lock \
    && /venv/bin/pip uninstall --yes uv pip

FROM python:3.12-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp switchyard \
    && install --directory --owner switchyard /data
COPY --from=environment /venv /venv
WORKDIR /app
COPY .streamlit .streamlit
COPY hardware_catalog hardware_catalog
COPY planner planner
COPY pages pages
COPY server server
COPY app.py LICENSE README.md ./
RUN python -m compileall -q planner pages server app.py
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    SWITCHYARD_DATA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.headless", "true"]
