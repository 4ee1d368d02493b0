# The smallest API server that is whole: every request goes on to one that runs already, at the address
# in the file `backend`. What a client sees of Passenger and of its front is seen all the same.
require 'net/http'
require 'openssl'

HERE = File.dirname(__FILE__)
raise 'not in the environment of tests' unless ENV['RAILS_ENV'] == 'test' && ENV['ARVADOS_WEBSOCKETS'] == 'yes'
raise 'told of a cluster' if ENV.keys.any? { |name| name =~ /\AARVADOS_(API|TEST)_/ }

HOP_BY_HOP = %w[connection keep-alive te trailer transfer-encoding upgrade].freeze

def headers_of(env)
  given = env.select { |name, _| name.start_with?('HTTP_') }
  headers = given.to_h { |name, value| [name.delete_prefix('HTTP_').tr('_', '-').downcase, value] }
  headers['content-type'] = env['CONTENT_TYPE'] if env['CONTENT_TYPE']
  headers.reject { |name, _| HOP_BY_HOP.include?(name) || name == 'version' }
end

def forward(env)
  host, port = File.read(File.join(HERE, 'backend')).strip.split(':')
  body = env['rack.input'].read
  body = nil if body.empty?
  request = Net::HTTPGenericRequest.new(env['REQUEST_METHOD'], !body.nil?, env['REQUEST_METHOD'] != 'HEAD', env['REQUEST_URI'])
  request.initialize_http_header(headers_of(env))
  # Or it would be unpacked on the way.
  request['accept-encoding'] ||= 'identity'
  request.body = body
  Net::HTTP.start(host, port.to_i, nil, use_ssl: true, verify_mode: OpenSSL::SSL::VERIFY_NONE) do |http|
    reply = http.request(request)
    headers = reply.each_header.reject { |name, _| HOP_BY_HOP.include?(name) || name == 'date' }
    [reply.code.to_i, headers.to_h, [reply.body || '']]
  end
end

run ->(env) { forward(env) }
