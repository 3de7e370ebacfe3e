# docker build --build-arg TORCH_INDEX=URL -t lda-app .
# docker run --rm -v "$PWD":/data lda-app train news.csv --text-column text --out news-run
#
# TORCH_INDEX is a package index that serves the CPU build of torch; without it the image carries CUDA.

FROM python:3.11-slim-bookworm AS build
ARG TORCH_INDEX=""
WORKDIR /src
COPY constraints.txt ./
RUN python3 -m venv /opt/lda-app \
 && if [ -n "$TORCH_INDEX" ]; then \
      /opt/lda-app/bin/pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" --constraint constraints.txt torch; \
    fi
COPY pyproject.toml README.md LICENSE ./
COPY lda_app lda_app
RUN /opt/lda-app/bin/pip install --no-cache-dir --constraint constraints.txt '.[excel,segment]'

FROM python:3.11-slim-bookworm
COPY --from=build /opt/lda-app /opt/lda-app
# Whoever runs the container (docker run -u) has a home and a place for compiled code.
RUN mkdir -m 1777 /home/lda-app /home/lda-app/numba
ENV PATH=/opt/lda-app/bin:$PATH \
    HOME=/home/lda-app \
    LOGNAME=lda-app \
    NUMBA_CACHE_DIR=/home/lda-app/numba \
    PYTHONUNBUFFERED=1
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["lda-app"]
CMD ["--help"]
