/** The user agents that come with the program as no listeners. */

import type { BotList } from './download-rules.ts'

/** Search engines, models and archives that read the web. */
const CRAWLERS = `
adidxbot
adsbot
ahrefs
amazonbot
applebot
archive-it
archive.org_bot
awariosmartbot
baiduspider
barkrowler
bingbot
bingpreview
blexbot
bytespider
ccbot
chatgpt-user
claudebot
crawler
dataforseobot
dataprovider.com
dotbot
duckduckbot
exabot
googlebot
googleother
gptbot
heritrix
httrack
ia_archiver
ltx71
mauibot
mediapartners-google
meta-externalagent
mj12bot
msnbot
netcraftsurveyagent
nutch
oai-searchbot
perplexitybot
petalbot
scrapy
semrush
slurp
spider
yandexbot
zgrab
`

/** Previews of links, and readers of feeds that fetch for others. */
const FETCHERS = `
discordbot
facebookbot
facebookexternalhit
facebot
feedfetcher
feedly/
flipboardproxy
linkcheck
linkedinbot
linkpreview
paperlibot
pinterestbot
redditbot
skypeuripreview
slackbot
telegrambot
twitterbot
whatsapp
`

/** Directories, hosts and measurements of podcasts that check, copy or analyse episodes. */
const PODCAST_SERVICES = `
acast-tester
amazon music podcast
amazonnewscontentservice
audioboombot
blubrry
buzzsprout importer
captivatebot
castfeedvalidator
chartable
downcast feed consumer
google-podcast
listennotes/
magellanai
op3-fetcher
overcast/1.0 podcast sync
podbean importer
podbeanfeedreader
podcast sync
podcastindex.org
podchaserparser
podnewsbot
podscanbot
podscribe/
podtrac
trackable/
`

/** What asks whether a server is up. */
const MONITORS = `
betteruptime
datadog
newrelicpinger
pingdom
site24x7
statuscake
uptime-kuma
uptimerobot
`

/** Programs that are no players, and the libraries they are made with. */
const PROGRAMS = `
aiohttp/
apachebench
axios/
curl/
go-http-client
guzzlehttp
headlesschrome
java/
libwww-perl
node-fetch
phantomjs
python-httpx
python-requests
python-urllib
wget/
`

/**
 * The list that comes with the program: names that such agents give themselves, as their operators document them
 * and public lists of podcast user agents have them.
 */
export const BUNDLED_BOTS: BotList = {
  name: 'byteledger bots',
  version: '2026-11-24',
  parts: [CRAWLERS, FETCHERS, PODCAST_SERVICES, MONITORS, PROGRAMS].flatMap((names) =>
    names.trim().split('\n'),
  ),
}
