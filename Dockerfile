# One node of Cashpoint: docker build -t cashpoint .
# Settings come from the environment, see docs/operations.md; the store is a file on /data unless CASHPOINT_STORE says.
FROM node:24.21-slim

WORKDIR /app
COPY package.json package-lock.json ./
COPY packaging ./packaging
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund && npm cache clean --force
COPY src ./src
RUN mkdir /data && chown node /data

ENV NODE_ENV=production HOST=0.0.0.0 PORT=5000 CASHPOINT_STORE=sqlite:/data/cashpoint.db
# What Node compiles is kept there, since the program's own folder may be read-only.
ENV NODE_COMPILE_CACHE=/tmp/cashpoint
# Room for what requests leave behind: a third more of them at 256 connections, for up to 70 MB.
ENV NODE_OPTIONS=--max-semi-space-size=32
USER node
VOLUME /data
EXPOSE 5000
ENTRYPOINT ["node", "packaging/launch.cjs"]
CMD ["serve"]
