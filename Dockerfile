FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /leadline
COPY requirements.txt .
RUN pip install --require-hashes -r requirements.txt
COPY . .
# Collecting static files needs settings, not secrets: these two live for one command.
RUN SECRET_KEY=build FIELD_ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= python manage.py collectstatic --no-input \
    && useradd --system leadline && mkdir -p var /erasures && chown -R leadline var /erasures
USER leadline
EXPOSE 8000
CMD ["python", "manage.py", "run_web", "--host", "0.0.0.0", "--workers", "2"]
