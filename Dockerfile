# The image that compose.yaml runs as web, worker and beat. PostgreSQL and Redis come from outside.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    DEBUG=0 \
    WHETSTONE_HOME=/srv/whetstone/home

WORKDIR /srv/whetstone
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .

# Static files need no database; the addresses only have to be there to be read.
RUN SECRET_KEY=none DATABASE_URL=postgresql://none/none REDIS_URL=redis://none/0 \
        python manage.py collectstatic --noinput \
    && useradd --system --uid 10001 --no-create-home whetstone \
    && chown -R whetstone home
USER whetstone

EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", \
     "--worker-class", "gthread", "--workers", "3", "--threads", "8", \
     "--graceful-timeout", "20", "--timeout", "60", "--access-logfile", "-"]
