# Three stages: static assets by npm, Python packages with hashes, and the image that runs, which has neither npm nor pip.

FROM node:24-slim AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.13-slim AS packages
WORKDIR /app
COPY bin/uv.txt bin/uv.txt
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r bin/uv.txt
COPY requirements.txt ./
RUN uv venv --quiet /venv && uv pip sync --quiet --require-hashes --no-build --python /venv/bin/python requirements.txt

FROM python:3.13-slim
RUN groupadd --system --gid 10001 tandem \
    && useradd --system --uid 10001 --gid tandem --home-dir /app --no-create-home tandem \
    && install -d -o tandem -g tandem /media /beat
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
COPY --from=assets /app/node_modules node_modules
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 STATIC_ROOT=/static MEDIA_ROOT=/media BEAT_SCHEDULE_FILE=/beat/schedule
# The values only let the settings load while the image is built; nothing connects, and none of them stays.
RUN python cmms/local/assets.py \
    && SECRET_KEY=build DATABASE_URL=postgresql://build/build REDIS_URL=redis://build \
       python manage.py collectstatic --no-input --verbosity 0 \
    && mv node_modules/@tabler/icons/icons /icons && mv node_modules/@expo-google-fonts /fonts && rm -rf node_modules \
    && install -d node_modules/@tabler/icons && mv /icons node_modules/@tabler/icons/icons \
    && mv /fonts node_modules/@expo-google-fonts
USER tandem
EXPOSE 8000
CMD ["gunicorn", "--config", "python:cmms.gunicorn"]
